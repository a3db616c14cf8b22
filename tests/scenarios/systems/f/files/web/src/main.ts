import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { bootstrapApplication } from '@angular/platform-browser';

import { AppComponent } from './app/app.component';
import { siteInterceptor } from './app/core/site.interceptor';

bootstrapApplication(AppComponent, {
  providers: [provideHttpClient(withInterceptors([siteInterceptor]))],
}).catch((error) => console.error(error));
