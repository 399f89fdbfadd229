/** Writes docs/cli.md from the declarations of the commands: `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { renderReference } from '../src/cli/reference.ts';
import { COMMANDS } from '../src/cli/registry.ts';

writeFileSync(new URL('../docs/cli.md', import.meta.url), await renderReference(COMMANDS));
