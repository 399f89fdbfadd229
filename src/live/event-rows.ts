/**
 * The changed rows of an event as JSON, for whoever asked for them on the stream: up to a
 * bound, beyond which the event says where they are to be had.
 */

import type { RowChange, TableDiff } from '../model/change.ts';
import type { NodeStore } from '../prolly/node-store.ts';
import { rowToJson } from '../tuple/json-value.ts';
import type { CommitEvent } from './contract.ts';
import { type DiffChoice, tableDiffsBetween } from './table-diffs.ts';

const MOST_ROWS = 1000;
const MOST_CHARACTERS = 256 * 1024;

/**
 * The event's JSON with `"rows":[{"table","change","key","from","to"},...]`, or, where there
 * are too many, with `"rowsAt":link`.
 */
export async function eventWithRows(
  nodes: NodeStore,
  event: CommitEvent,
  choice: DiffChoice,
  link: string,
): Promise<string> {
  const head = JSON.stringify(event).slice(0, -1);
  const rows: string[] = [];
  let characters = 0;
  for await (const diff of tableDiffsBetween(nodes, event.old, event.new, choice)) {
    for await (const batch of diff.changes()) {
      for (const change of batch) {
        const row = rowText(diff, change);
        characters += row.length;
        if (rows.length >= MOST_ROWS || characters > MOST_CHARACTERS) {
          return `${head},"rowsAt":${JSON.stringify(link)}}`;
        }
        rows.push(row);
      }
    }
  }
  return `${head},"rows":[${rows.join()}]}`;
}

function rowText({ table, from, to }: TableDiff, change: RowChange): string {
  const schema = change.to === null ? from : to;
  const row = change.to ?? change.from;
  const key =
    schema === null || schema.key.length === 0 ? 'null' : rowToJson(schema, row, schema.key);
  const sides = [
    change.from && from ? rowToJson(from, change.from) : 'null',
    change.to && to ? rowToJson(to, change.to) : 'null',
  ];
  return `{"table":${JSON.stringify(table)},"change":"${change.change}","key":${key},"from":${sides[0]},"to":${sides[1]}}`;
}
