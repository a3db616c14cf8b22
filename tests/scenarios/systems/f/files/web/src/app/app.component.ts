import { AsyncPipe } from '@angular/common';
import { Component, inject } from '@angular/core';

import { LiveService } from './core/live.service';
import { SampleService } from './samples/sample.service';

@Component({
  selector: 'app-root',
  standalone: true,
  imports: [AsyncPipe],
  template: `
    @for (sample of samples$ | async; track sample.id) {
      <p>{{ sample.barcode }} {{ sample.panel }}</p>
    }
    <footer>{{ (live$ | async)?.state }}</footer>
  `,
})
export class AppComponent {
  readonly samples$ = inject(SampleService).samples();
  readonly live$ = inject(LiveService).events$;
}
