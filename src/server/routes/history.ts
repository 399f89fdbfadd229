/**
 * `GET R/log`: commits, newest first, a page at a time; `GET R/tables/{table}/history`: the
 * versions of one row.
 */
import { DvError } from '../../errors.ts';
import type { Hash } from '../../hash.ts';
import { walkHistory } from '../../model/history.ts';
import type { Commit } from '../../model/objects.ts';
import { rowHistory } from '../../model/row-history.ts';
import type { VersionedRow } from '../../model/row-paths.ts';
import { rowToJson } from '../../tuple/json-value.ts';
import type { OpenApiOperation, RegisterRoutes } from '../contract.ts';
import { Query } from '../query.ts';
import { commitAt, STATE_PARAMETERS, stateOf } from '../revision-query.ts';
import { keyOf, tableAt } from '../served-table.ts';
import { queryOf } from './openapi.ts';
import { tellState } from './rows.ts';

const DEFAULT_LIMIT = 100;
const MOST = 1000;

export const register: RegisterRoutes = (app, context) => {
  app.get('/v1/repos/:repo/log', { config: { openapi: LOG } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const query = new Query(request, [...STATE_PARAMETERS, 'limit', 'not', 'first-parent']);
    const state = await stateOf(served, query, context);
    const limit = query.count('limit', MOST) ?? DEFAULT_LIMIT;
    const exclude: Hash[] = [];
    for (const revision of query.list('not') ?? []) exclude.push(await commitAt(served, revision));
    await tellState(reply, served, state);
    const commits: unknown[] = [];
    const walk = walkHistory(served.repository.store, [state.commit], {
      exclude,
      firstParent: query.flag('first-parent'),
    });
    let complete = true;
    for await (const { hash, commit } of walk) {
      complete = commits.length < limit;
      if (!complete) break;
      commits.push(describeCommit(hash, commit));
    }
    return { commits, complete };
  });

  const path = '/v1/repos/:repo/tables/:table/history';
  app.get(path, { config: { openapi: HISTORY } }, async (request, reply) => {
    const served = await context.open(request, 'read');
    const query = new Query(request, [...STATE_PARAMETERS, 'key', 'limit']);
    const state = await stateOf(served, query, context);
    const { table } = request.params as { table: string };
    const { schema } = await tableAt(served, state.root, table);
    const key = query.list('key') ?? [];
    keyOf(table, schema, key);
    const limit = query.count('limit', MOST) ?? DEFAULT_LIMIT;
    await tellState(reply, served, state);
    const versions: string[] = [];
    let complete = true;
    for await (const version of rowHistory(served.repository.nodes, state.commit, table, key)) {
      complete = versions.length < limit;
      if (!complete) break;
      const { commit, object, change, from, to } = version;
      const head = JSON.stringify({ ...describeCommit(commit, object), change });
      versions.push(`${head.slice(0, -1)},"from":${rowText(from)},"to":${rowText(to)}}`);
    }
    if (versions.length === 0 && limit > 0) throw unknownRow(table, key);
    reply.type('application/json');
    return `{"table":${JSON.stringify(table)},"versions":[${versions.join(',')}],"complete":${complete}}`;
  });
};

const rowText = (found: VersionedRow | null): string =>
  found === null ? 'null' : rowToJson(found.schema, found.row);

function unknownRow(table: string, key: readonly string[]): DvError {
  const shown = key.join(', ').slice(0, 200);
  return new DvError('unknown-row', `'${table}' never had a row with the key "${shown}"`, {
    data: { table, key: shown },
  });
}

/** A commit as answers show it. */
function describeCommit(hash: Hash, commit: Commit) {
  const { parents, author, committer, message, generation, clock, extra } = commit;
  return {
    commit: hash,
    parents,
    author,
    committer,
    message,
    generation,
    clock,
    ...sourceOf(extra),
  };
}

const sourceOf = ({ source }: Commit['extra']) => (source === undefined ? {} : { source });

const LOG: OpenApiOperation = {
  operationId: 'getLog',
  summary: 'Commits, newest first',
  parameters: [
    queryOf('at', 'Where to begin; default HEAD'),
    queryOf('not', 'Leaves out what this revision reaches; may be given several times'),
    queryOf('first-parent', '1: along first parents only'),
    queryOf('limit', `Commits: ${DEFAULT_LIMIT} unless said, ${MOST} at most`),
    queryOf('min-seq', 'A feed cursor: the answer is no older'),
  ],
  responses: { 200: { description: 'Commits; `complete` says whether that was all' } },
};

const HISTORY: OpenApiOperation = {
  operationId: 'getRowHistory',
  summary: 'The versions of one row, newest first',
  parameters: [
    queryOf('key', 'The cells of the key, once for each column of it'),
    queryOf('at', 'Where to begin; default HEAD'),
    queryOf('limit', `Versions: ${DEFAULT_LIMIT} unless said, ${MOST} at most`),
  ],
  responses: { 200: { description: 'Versions with the commits that made them' } },
};
