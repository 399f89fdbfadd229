/** The version of dv, from its package.json (esbuild puts the text into the bundle). */
import manifest from '../../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
