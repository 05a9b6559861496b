/** Where rows of a node can be watched: as they come to it, as they leave it, and those that it rejects, as they came. */
export const tapSides = ['before', 'after', 'rejected'] as const;
export type TapSide = (typeof tapSides)[number];
