import { HttpBackend, HttpClient } from '@angular/common/http';
import { Injectable, signal } from '@angular/core';
import { tap } from 'rxjs';

import { environment } from '../../environments/environment';

interface Session {
  token: string;
  hours: number;
}

@Injectable({ providedIn: 'root' })
export class SessionService {
  readonly token = signal<string | null>(null);
  // Not by the interceptor, which asks for the token.
  private readonly http: HttpClient;

  constructor(backend: HttpBackend) {
    this.http = new HttpClient(backend);
  }

  login(login: string, pin: string) {
    return this.http
      .post<Session>(`${environment.identityUrl}/login`, { login, pin })
      .pipe(tap((session) => this.token.set(session.token)));
  }
}
