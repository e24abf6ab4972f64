// What the modules of this folder take and answer, for editors and type checkers; browsers do not read it. types.d.ts, beside it,
// is what your server answers to GET /api/v1/types.d.ts.

import type { Collections, CommentsCreate, CommentsRecord, NotificationsRecord, PostsRecord, StoriesRecord, TypedPocketBase, UsersRecord } from './types';

export type { SendOptions } from 'pocketbase';

/** The SDK's client. */
export type Client = TypedPocketBase;

/** The same, with somebody signed in. */
export type SignedIn = Client & { authStore: { record: UsersRecord } };

/** A list of listeners. */
export interface Channel<T extends unknown[] = []> {
  send(...what: T): void;
  listen(hear: (...what: T) => void): () => void;
}

export interface CursorOptions {
  by?: string;
  filter?: string;
  perPage?: number;
  expand?: string;
  fields?: string;
}

/** A list that is read page by page. */
export interface Cursor<Row> {
  readonly done: boolean;
  next(): Promise<Row[]>;
}

/** One that can look at its beginning again. */
export interface KeysetCursor<Row> extends Cursor<Row> {
  start(): Promise<Row[]>;
}

export interface ListState<Row> {
  rows: Row[];
  phase: '' | 'loading' | 'reading' | 'ready' | 'failed';
  error: unknown;
}

/** Collections of edges that are mine: which field is me is in removeEdge. */
export type EdgeCollection = 'likes' | 'comment_likes' | 'saves' | 'follows' | 'blocks' | 'mutes';
export type Ends = Record<string, string>;

export interface EdgeState { on: boolean; count: number; pending: boolean; queued: boolean }

export interface EdgeOptions {
  id?: string;
  count?: number;
  outbox?: Outbox | undefined;
  onChange?: () => void;
  onError?: (err: any, wished: boolean) => void;
}

export interface Edge {
  shown(): EdgeState;
  want(on: boolean): Promise<void>;
  toggle(): Promise<void>;
  heard(told: { id?: string | undefined; count?: number | undefined }): void;
}

export type Relationship = UsersRecord['relationship'];

/** What waits to be sent: an edge as it is wanted in the end, or a comment. */
export type Entry = EdgeEntry | CommentEntry;
export interface EdgeEntry { key: string; collection: EdgeCollection; ends: Ends; wanted: boolean }
export interface CommentEntry { key: string; collection: 'comments'; body: NewComment; expand?: string; at: string; ends?: undefined; wanted?: undefined }
export type NewComment = CommentsCreate & { id: string; parent: string };

/** What became of an entry: its row, null where one was taken away, or why it was refused. */
export interface Delivery { row?: any; err?: any }

export interface Outbox {
  flush(): Promise<void>;
  open(): Promise<void>;
  readonly opened: Promise<void>;
  keep(entry: Entry): Promise<unknown>;
  drop(key: string): Promise<void>;
  waiting(key: string): Entry | undefined;
  all(): Entry[];
  readonly size: number;
  listen(key: string, hear: (answer: Delivery, entry: any) => void): () => void;
  close(): void;
}

export interface Shelf {
  get(name: string): Promise<any>;
  put(name: string, value: unknown): Promise<unknown>;
  drop(name: string): Promise<unknown>;
  all(start: string): Promise<any[]>;
  clear(): Promise<unknown>;
}

/** A post as it is shown: a list may lack what only its own screen needs. */
export type Post = PostsRecord;

/** A row of the feed, as the cursor and the live events bring it. */
export interface FeedRow { id: string; post: string; expand?: { post?: Post } }

export interface FeedState { posts: Post[]; phase: 'loading' | 'reading' | 'ready' | 'failed'; error: unknown; kept: boolean }

/** What a live event tells; of a deletion perhaps no more than the id. */
export interface Told<Row> { action: string; record: Row }
export type Heard<Row> = (told: Told<Row>) => void;

export interface LiveOptions {
  onChange?: () => void;
  onNews?: (row: NotificationsRecord) => void;
  onFeed?: (action: string, row: FeedRow) => void;
  onConnect?: () => void;
  onRefused?: () => void;
}

/** A post in view, and what ends hearing of it. */
export interface Watch { callback: Heard<any>; end: Promise<() => unknown> | null }

export interface ThreadOptions { outbox?: Outbox; onChange?: () => void; onError?: (err: any) => void }

/** A comment, stored or on its way. */
export type ShownComment = Omit<CommentsRecord, 'expand' | 'collectionId' | 'collectionName' | 'updated' | 'deleted' | 'hidden'>
  & { deleted?: boolean; hidden?: boolean; waiting?: 'sending' | 'queued'; expand?: { author?: any } };

export type Story = StoriesRecord & { ends: number };

/** A piece of a text: plain, or a name. */
export interface TextPart { text: string; handle?: string; tag?: string }

/** A character with its marks, and what it is after normalization. */
export interface Piece { raw: string; plain: string }

/** Which part of a photo is cut out. */
export interface Frame { ratio: number; zoom?: number; x?: number; y?: number }

/** What PocketBase says of a field. */
export interface Problem { code?: string; message?: string; params?: Record<string, any> }

/** My subscription as the device keeps it. */
export interface KeptPush { user: string; device: string; endpoint: string; name: string; token: string }

export type Say = (words: string) => void;
export type CollectionName = keyof Collections;
