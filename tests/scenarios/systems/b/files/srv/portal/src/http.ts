export class HttpError extends Error {
  constructor(readonly status: number, path: string) {
    super(`${path}: ${status}`);
  }
}

let token: string | undefined;

export function useToken(value: string): void {
  token = value;
}

export class HttpClient {
  constructor(private readonly base: string) {}

  get<T>(path: string): Promise<T> {
    return this.send<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('POST', path, JSON.stringify(body));
  }

  private async send<T>(method: string, path: string, body?: string): Promise<T> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(this.base + path, { method, headers, body });
    if (!response.ok) throw new HttpError(response.status, path);
    return (await response.json()) as T;
  }
}
