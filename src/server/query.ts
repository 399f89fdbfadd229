/** What stands behind `?` in an address, checked. */
import type { FastifyRequest } from 'fastify';
import { DvError } from '../errors.ts';

export class Query {
  readonly #values: Readonly<Record<string, unknown>>;

  /** @throws DvError `bad-request` for a name that the address does not know */
  constructor(request: FastifyRequest, known: readonly string[]) {
    this.#values = request.query as Record<string, unknown>;
    const strange = Object.keys(this.#values).find((name) => !known.includes(name));
    if (strange === undefined) return;
    throw new DvError('bad-request', `'${strange.slice(0, 40)}' is no parameter of this address`, {
      hint: `it has ${known.join(', ')}`,
    });
  }

  /** The last of several. */
  text(name: string): string | undefined {
    return this.list(name)?.at(-1);
  }

  list(name: string): readonly string[] | undefined {
    const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
    if (value === undefined) return undefined;
    return Array.isArray(value) ? value.map(String) : [String(value)];
  }

  /** `1`, `true` or nothing behind the name. @throws DvError `bad-request` */
  flag(name: string): boolean {
    const value = this.text(name);
    if (value === undefined || value === '0' || value === 'false') return false;
    if (value === '' || value === '1' || value === 'true') return true;
    throw badValue(name, value, '1 or 0');
  }

  /** @throws DvError `bad-request` */
  count(name: string, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const count = /^\d{1,9}$/.test(value) ? Number(value) : -1;
    if (count >= 0 && count <= most) return count;
    throw badValue(name, value, `a number from 0 to ${most}`);
  }

  /** @throws DvError `bad-request` */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw badValue(name, value, choices.join(' or '));
  }
}

function badValue(name: string, value: string, wanted: string): DvError {
  return new DvError('bad-request', `'${value.slice(0, 40)}' is no value of '${name}'`, {
    hint: `it takes ${wanted}`,
    data: { name },
  });
}
