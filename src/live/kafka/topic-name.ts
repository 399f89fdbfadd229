/**
 * The topic of a table: PREFIX.TABLE. What a topic's name cannot have becomes `_`, and then a
 * digest of the whole name follows, so that no two tables share a topic.
 */
import { createHash } from 'node:crypto';

const LONGEST = 249;
const DIGEST = 8;

export function topicName(prefix: string, table: string): string {
  const plain = `${prefix}.${table.replace(/[^\w.-]/g, '_')}`;
  if (plain === `${prefix}.${table}` && plain.length <= LONGEST) return plain;
  const digest = createHash('sha256').update(table).digest('hex').slice(0, DIGEST);
  return `${plain.slice(0, LONGEST - DIGEST - 1)}-${digest}`;
}
