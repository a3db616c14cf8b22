import { HttpClient, HttpParams } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable } from 'rxjs';

import { environment } from '../../environments/environment';
import { MonthlyFigures, Sample, Site, Tube, Worklist } from './sample';

@Injectable({ providedIn: 'root' })
export class SampleService {
  private readonly http = inject(HttpClient);

  sites(): Observable<Site[]> {
    return this.http.get<Site[]>(`${environment.apiUrl}/sites`);
  }

  samples(panel?: string): Observable<Sample[]> {
    const params = panel ? new HttpParams().set('panel', panel) : undefined;
    return this.http.get<Sample[]>(`${environment.apiUrl}/samples`, { params });
  }

  tubes(): Observable<Tube[]> {
    return this.http.get<Tube[]>(`${environment.apiUrl}/tubes`);
  }

  worklist(): Observable<Worklist> {
    return this.http.get<Worklist>(`${environment.apiUrl}/worklist`);
  }

  monthly(): Observable<MonthlyFigures> {
    return this.http.get<MonthlyFigures>(`${environment.apiUrl}/statistics/monthly`);
  }
}
