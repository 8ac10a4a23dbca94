/** Relations as a region's rules name them. */
import type { Schemas } from './api/types.ts';
import { shared as t } from './messages/messages.svelte.ts';

/** Relations that have words here; a region may accept others, which show by their own name. */
const RELATIONS = ['spouse', 'parent', 'child', 'sibling', 'grandparent', 'grandchild', 'near_relative'] as const;
const isNamed = (name: string): name is (typeof RELATIONS)[number] => RELATIONS.some((one) => one === name);

export const relationText = (name: string): string => (isNamed(name) ? t(`relation.${name}`) : name);

/** The relation of this number; the number itself where the rules do not name it. */
export const relationName = (list: readonly Schemas['Relation'][] | undefined, number: number): string =>
  relationText(list?.find((one) => one.number === number)?.name ?? String(number));

export const relationOptions = (list: readonly Schemas['Relation'][]) =>
  list.map(({ name }) => ({ value: name, label: relationText(name) }));
