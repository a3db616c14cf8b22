import { endpoints } from './config';
import { HttpClient, useToken } from './http';

const identity = new HttpClient(endpoints.identity);

export async function login(name: string, pass: string): Promise<void> {
  const { token } = await identity.post<{ token: string }>('/login', { name, pass });
  useToken(token);
}
