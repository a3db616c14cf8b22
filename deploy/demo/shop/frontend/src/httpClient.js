// All calls of the shop's API go through here.
const BASE_URL = 'http://127.0.0.1:@GATEWAY_PORT@';

let token = null;

async function request(path, options = {}) {
  const headers = { 'Content-Type': 'application/json', ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(`${BASE_URL}${path}`, { ...options, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

export const getHealth = () => request('/system/health');
export const getSummary = () => request('/dashboard/summary');
export const getProducts = () => request('/products');
export const getInventory = () => request('/inventory');
export const getOrders = () => request('/orders');

export async function login(user, password) {
  const answer = await request('/auth/login', { method: 'POST', body: JSON.stringify({ user, password }) });
  token = answer.token;
}

export function openUpdates(onMessage) {
  const socket = new WebSocket(`${BASE_URL.replace('http', 'ws')}/ws`);
  socket.addEventListener('message', onMessage);
  return socket;
}
