/** For typedoc: modules have the names that one imports. */
import { Converter, ReflectionKind } from 'typedoc';
import { readFileSync } from 'node:fs';

/** `lora/src/peft` is imported as `@hypetune/lora/peft`. */
function importedName(module) {
  const [, folder, entry] = /^([^/]+)\/src(?:\/(.+))?$/.exec(module) ?? [];
  if (folder === undefined) return module;
  const manifest = new URL(`../packages/${folder}/package.json`, import.meta.url);
  const { name } = JSON.parse(readFileSync(manifest, 'utf8'));
  return entry === undefined ? name : `${name}/${entry}`;
}

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = importedName(reflection.name);
  });
}
