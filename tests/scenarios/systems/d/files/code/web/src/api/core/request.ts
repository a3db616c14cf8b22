/* generated using openapi-typescript-codegen -- do no edit */
/* istanbul ignore file */
/* tslint:disable */
/* eslint-disable */
import type { OpenAPIConfig } from './OpenAPI';

export type ApiRequestOptions = {
    readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS' | 'HEAD' | 'PATCH';
    readonly url: string;
    readonly path?: Record<string, any>;
    readonly query?: Record<string, any>;
    readonly body?: any;
    readonly mediaType?: string;
};

const getUrl = (config: OpenAPIConfig, options: ApiRequestOptions): string => {
    const path = options.url
        .replace('{api-version}', config.VERSION)
        .replace(/{(.*?)}/g, (substring: string, group: string) => {
            if (options.path?.hasOwnProperty(group)) {
                return encodeURI(String(options.path[group]));
            }
            return substring;
        });
    const query = new URLSearchParams(options.query ?? {}).toString();
    return `${config.BASE}${path}` + (query ? `?${query}` : '');
};

const getHeaders = async (config: OpenAPIConfig, options: ApiRequestOptions): Promise<Headers> => {
    const token = typeof config.TOKEN === 'function' ? await config.TOKEN() : config.TOKEN;
    const additional = typeof config.HEADERS === 'function' ? await config.HEADERS() : config.HEADERS;
    const headers: Record<string, string> = { Accept: 'application/json', ...additional };
    if (token) {
        headers['Authorization'] = `Bearer ${token}`;
    }
    if (options.body) {
        headers['Content-Type'] = options.mediaType ?? 'application/json';
    }
    return new Headers(headers);
};

export const request = async <T>(config: OpenAPIConfig, options: ApiRequestOptions): Promise<T> => {
    const response = await fetch(getUrl(config, options), {
        method: options.method,
        headers: await getHeaders(config, options),
        body: options.body instanceof Blob ? options.body : options.body && JSON.stringify(options.body),
    });
    if (!response.ok) {
        throw new Error(`${options.url}: ${response.status} ${response.statusText}`);
    }
    return (await response.json()) as T;
};
