import { OpenAPI } from './api/core/OpenAPI';

export function follow(listener: () => void): () => void {
  const address = new URL(OpenAPI.BASE + '/live', window.location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(address);
  socket.addEventListener('message', listener);
  return () => socket.close();
}
