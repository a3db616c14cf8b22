import { HttpInterceptorFn } from '@angular/common/http';
import { inject } from '@angular/core';

import { environment } from '../../environments/environment';
import { SessionService } from './session.service';

export const siteInterceptor: HttpInterceptorFn = (req, next) => {
  const token = inject(SessionService).token();
  const headers: Record<string, string> = {
    'X-Site-Id': environment.siteId,
    'X-Correlation-Id': crypto.randomUUID(),
  };
  if (token) {
    headers['Authorization'] = `Bearer ${token}`;
  }
  return next(req.clone({ setHeaders: headers }));
};
