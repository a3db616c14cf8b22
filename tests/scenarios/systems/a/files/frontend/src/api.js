// All calls of the API.
const API_BASE = '/api/v1';

let token = null;

async function call(path, options = {}) {
  const headers = { 'Content-Type': 'application/json', ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(`${API_BASE}${path}`, { ...options, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

export const getStations = () => call('/stations');
export const getBikes = () => call('/bikes');
export const getPrices = () => call('/prices');
export const getBasket = () => call('/basket');
export const getPaymentMethods = () => call('/payment-methods');
export const getRentals = () => call('/rentals');
export const rent = (bike) => call('/rentals', { method: 'POST', body: JSON.stringify({ bike }) });

export async function login(member, secret) {
  const answer = await call('/login', { method: 'POST', body: JSON.stringify({ member, secret }) });
  token = answer.token;
}

export function follow(onPosition) {
  const socket = new WebSocket(`wss://${window.location.host}/live`);
  socket.addEventListener('message', onPosition);
  return socket;
}
