/** Types of build.mjs for the tests that call it. */
export function buildBundles(): Promise<void>;
