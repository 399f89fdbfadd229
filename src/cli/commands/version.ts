/** `dv version`: which dv this is. */
import type { CommandModule } from '../command.ts';
import { VERSION } from '../version.ts';

export const command: CommandModule = {
  declare() {},
  async run({ out, json }) {
    if (json) out.json({ version: VERSION });
    else out.line(`dv ${VERSION}`);
    return 0;
  },
};
