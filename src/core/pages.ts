// A sequence in parts of a bounded length.

/** `items` in order, `lengthMax` at a time; the last page may be shorter. Reads ahead no further than one page. */
export function* pagesOf<Item>(items: Iterable<Item>, lengthMax: number): Iterable<readonly Item[]> {
  let page: Item[] = [];
  for (const item of items) {
    page.push(item);
    if (page.length < lengthMax) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
