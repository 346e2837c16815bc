/** For typedoc: modules have the names that one imports. */
import { Converter, ReflectionKind } from 'typedoc';
import { entries } from './entries.mjs';

const nameBySource = new Map(entries.map(({ name, source }) => [source.replaceAll('\\', '/'), name]));

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, module) => {
    if (!module.kindOf(ReflectionKind.Module)) return;
    const source = context.getSymbolFromReflection(module)?.declarations?.[0]?.getSourceFile().fileName;
    module.name = nameBySource.get(source) ?? module.name;
  });
}
