/** Latency and throughput of a running service: `load.ts URL CLIENTS SECONDS`. */
const [url = 'http://localhost:8080', clients = '8', seconds = '10'] = process.argv.slice(2);
const texts = ['you won a prize', 'minutes of the meeting on monday', 'limited offer, reply now to be paid'];
const end = performance.now() + 1000 * Number(seconds);
const times: number[] = [];

async function client(first: number): Promise<void> {
  for (let request = first; performance.now() < end; request++) {
    const start = performance.now();
    const body = JSON.stringify({ texts: [texts[request % texts.length]] });
    const response = await fetch(url, { method: 'POST', body });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    await response.json();
    times.push(performance.now() - start);
  }
}

await Promise.all(Array.from({ length: Number(clients) }, (_, index) => client(index)));
times.sort((a, b) => a - b);
const at = (share: number): string => times[Math.floor(share * (times.length - 1))]!.toFixed(1);
console.log(
  `${clients} clients: ${(times.length / Number(seconds)).toFixed(1)} texts/s, median ${at(0.5)} ms, 95 % below ${at(0.95)} ms`,
);
