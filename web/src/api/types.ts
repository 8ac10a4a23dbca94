/** The contract's types by their short names. */
import type { components } from './contract.gen.d.ts';

export type Schemas = components['schemas'];
