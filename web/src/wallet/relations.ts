/** Relations as a region's rules name them. */
import type { Schemas } from '../api/types.ts';
import { t } from './words.ts';

/** Relations that have words here; a region may accept others, which show by their own name. */
const RELATIONS = ['spouse', 'parent', 'child', 'sibling', 'grandparent', 'grandchild', 'near_relative'] as const;
const isNamed = (name: string): name is (typeof RELATIONS)[number] => RELATIONS.some((one) => one === name);

export const relationText = (name: string): string => (isNamed(name) ? t(`relatives.relation.${name}`) : name);

export const relationOptions = (list: readonly Schemas['Relation'][]) =>
  list.map(({ name }) => ({ value: name, label: relationText(name) }));
