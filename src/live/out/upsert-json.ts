/**
 * The row as it is now under its key, or null when it is gone: for compacted topics and all
 * that reads them (Flink: `upsert-kafka`). Only of tables with a key.
 */
import { DvError } from '../../errors.ts';
import { type ChangeShape, keyJson, rowJson, sidesOf } from './change-message.ts';

export const UPSERT_JSON: ChangeShape = {
  name: 'upsert',
  isCompacted: true,
  write(diff, change) {
    const { from, to } = sidesOf(diff);
    const key = change.to === null ? keyJson(from, change.from) : keyJson(to, change.to);
    if (key === null) {
      throw new DvError('bad-option', `'${diff.table}' has no key, so its rows cannot be upserts`, {
        hint: '--format debezium, or --table for the tables that have one',
        data: { table: diff.table },
      });
    }
    return [{ key, value: change.to === null ? null : rowJson(to, change.to) }];
  },
  headers: () => ({}),
};
