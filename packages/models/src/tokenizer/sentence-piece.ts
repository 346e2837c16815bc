const READ = ['tokenizer.json', 'vocab.txt', 'merges.txt'];
const SENTENCEPIECE = ['spiece.model', 'sentencepiece.bpe.model', 'spm.model', 'tokenizer.model'];

/** The SentencePiece model that is the only tokenizer among a folder's files. */
export function sentencePieceAlone(names: readonly string[]): string | undefined {
  return names.some((name) => READ.includes(name))
    ? undefined
    : SENTENCEPIECE.find((name) => names.includes(name));
}

/** What writes a tokenizer.json into a folder; of a repository of the hub the folder is made first. */
export function sentencePieceHint(model: string, folder: string, repository?: string): string {
  const at = JSON.stringify(folder);
  const made =
    repository === undefined
      ? ''
      : `from huggingface_hub import snapshot_download; snapshot_download(${JSON.stringify(repository)}, local_dir=${at}); `;
  const load = `from transformers import AutoTokenizer; AutoTokenizer.from_pretrained(${at}).save_pretrained(${at})`;
  const command = `python3 -c '${(made + load).replaceAll("'", String.raw`'\''`)}'`;
  const then = repository === undefined ? '' : `; then give file:${folder}`;
  return `there is ${model} but no tokenizer.json; ${command}, with transformers and sentencepiece, writes it${then}`;
}
