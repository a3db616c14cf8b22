import { Injectable } from '@angular/core';
import { retry, timer } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';

import { environment } from '../../environments/environment';

export interface ResultEvent {
  sample: number;
  state: 'received' | 'running' | 'validated';
}

@Injectable({ providedIn: 'root' })
export class LiveService {
  readonly events$ = webSocket<ResultEvent>(environment.liveUrl).pipe(
    retry({ delay: (_, attempt) => timer(Math.min(30, attempt * 2) * 1000) }),
  );
}
