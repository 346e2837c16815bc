// Fills in the table of docs/methods.md from the declarations.
import { METHODS, packageOf } from '../packages/cli/src/methods.js';
import { fillParts, table } from './generated.js';

/** The page of methods with its table made anew. */
export function methodsPage(page: string): Promise<string> {
  const rows = [...METHODS.values()].map((method) => {
    const folder = packageOf(method)!.replace(/^@hypetune\//, '');
    return [`[${method.name}](../packages/${folder}/README.md)`, method.summary, method.source, method.cost];
  });
  return fillParts(page, { methods: table(['method', 'what it does', 'source', 'cost'], rows) });
}
