/**
 * What this browser keeps: keys that cannot be taken out, and what belongs to them. IndexedDB holds
 * `CryptoKey`s as they are, without their bytes.
 */

const DATABASE = 'yibao';
const STORE = 'kept';

function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('the browser keeps nothing'));
  });
}

async function open(): Promise<IDBDatabase> {
  const asked = indexedDB.open(DATABASE, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
  return request(asked);
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await request(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export async function kept<T>(name: string): Promise<T | undefined> {
  return within<T | undefined>('readonly', (store) => store.get(name));
}

export async function keep(name: string, value: unknown): Promise<void> {
  await within('readwrite', (store) => store.put(value, name));
}

export async function forget(name: string): Promise<void> {
  await within('readwrite', (store) => store.delete(name));
}
