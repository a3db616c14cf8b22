import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';

import { environment } from '../../environments/environment';

export interface NewOrder {
  panel: string;
  tubes: number;
}

@Injectable({ providedIn: 'root' })
export class OrderService {
  private readonly http = inject(HttpClient);
  private readonly base = environment.apiUrl;

  place(order: NewOrder) {
    return this.http.post<{ id: number }>(`${this.base}/orders`, order);
  }

  fromHospitals() {
    return this.http.get<{ source: string; orders: unknown[] }>(`${this.base}/hospital-orders`);
  }

  myResults() {
    return this.http.get<{ login: string; results: unknown[] }>(`${this.base}/results/mine`);
  }

  attach(form: Blob) {
    return this.http.post<{ bytes: number }>(`${this.base}/attachments`, form, { headers: { 'Content-Type': 'application/pdf' } });
  }
}
