/** What the OpenAPI document says of the feed's routes. */
import type { OpenApiOperation } from '../contract.ts';

const query = (name: string, description: string): Readonly<Record<string, unknown>> => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
});

const COMMIT_ENDS = [
  query('from', 'The older commit, in full; left out: nothing'),
  query('to', 'The newer commit, in full'),
];

const stream = (type: string): Readonly<Record<string, unknown>> => ({
  [type]: { schema: { type: 'string' } },
});

export const WATCH: OpenApiOperation = {
  operationId: 'watch',
  summary: 'The feed of ref changes: frames, server-sent events, or a long poll',
  parameters: [
    query('refs', 'Branch patterns or full ref patterns, with commas; left out: all'),
    query('tables', 'Only commits that changed one of these tables'),
    query('since', 'A cursor, commit:HASH or time:MS; left out: from now on'),
    query('live', 'frames, sse, poll: the first one that the server speaks'),
    query('counts', '1: with row counts per table'),
    query('rows', '1: with changed rows as JSON, up to a bound (sse and poll)'),
    query('where', 'With rows: an SQL condition on them'),
    query('packs', '1: with the objects of each commit (frames)'),
    query('min-seq', 'A cursor or sequence that the feed must have come to'),
  ],
  responses: {
    200: {
      description: 'Events, for about ten minutes; come back with the last cursor',
      content: {
        ...stream('text/event-stream'),
        ...stream('application/vnd.dv.feed'),
        'application/json': { schema: { type: 'object' } },
      },
    },
  },
};

export const COMMITS: OpenApiOperation = {
  operationId: 'listCommitsBetween',
  summary: 'The commits that one commit has and another has not, each behind its parents',
  parameters: [...COMMIT_ENDS, query('counts', '1: with row counts per table')],
  responses: {
    200: {
      description: 'A commit a line, then {"end":true}',
      content: stream('application/x-ndjson'),
    },
  },
};

export const CHANGES: OpenApiOperation = {
  operationId: 'listChangesBetween',
  summary: 'The rows that differ between two commits, cells as exact text',
  parameters: [
    ...COMMIT_ENDS,
    query('tables', 'Only these tables'),
    query('where', 'An SQL condition on the rows'),
  ],
  responses: {
    200: {
      description: 'A table, its rows, the next; then {"end":true}',
      content: stream('application/x-ndjson'),
    },
  },
};

export const WATCHERS: OpenApiOperation = {
  operationId: 'listWatchers',
  summary: 'Who follows the feed just now, and how far behind each is',
  responses: {
    200: {
      description: 'Watchers',
      content: { 'application/json': { schema: { type: 'object' } } },
    },
  },
};
