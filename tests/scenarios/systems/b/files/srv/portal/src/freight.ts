import { endpoints } from './config';
import { HttpClient } from './http';

export interface Parcel { id: number; depot: number; kg: number }
export interface Shipment { id: number; depot: number; leaves: string }
export interface Booking { id: number; parcel: number }

const freight = new HttpClient(endpoints.freight);

export const zones = () => freight.get<Record<string, number>>('/zones');
export const shipments = () => freight.get<Shipment[]>('/shipments');
export const parcels = () => freight.get<Parcel[]>('/parcels');
export const draft = () => freight.get<{ lines: string[] }>('/draft');
export const quote = () => freight.get<unknown>('/quote');
export const bookings = () => freight.get<Booking[]>('/bookings');
export const book = (parcel: number, kg: number) => freight.post<{ booking: number }>('/bookings', { parcel, kg });

export function follow(listener: (event: MessageEvent) => void): WebSocket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}${endpoints.events}`);
  socket.onmessage = listener;
  return socket;
}
