/**
 * Whether a chunk of a blob is what BlobBuilder (blob.ts) would have put at its place, one chunk
 * at a time: for fsck, and for chunks from outside. So one content has one hash.
 *
 *   1. A piece has no boundary before its end, whatever lies round it: the rolling hash begins
 *      anew with each piece.
 *   2. It ends at a boundary, or is as long as one may be, unless it is the last of the blob.
 *   3. An index has FANOUT children, unless it is the last of its level.
 *   4. The top of a blob is a piece or has several children; only a blob of no bytes has a piece
 *      of none.
 *
 * A chunk that fits one place may not fit another: the last piece of one blob may be in the
 * middle of another. So it is looked at for each place.
 */
import type { Hash } from '../hash.ts';
import { FLAG_REFERS, type Node } from '../prolly/node.ts';
import { outgoingBlobs } from '../tuple/row-codec.ts';
import { boundaryOf, decodeIndex, FANOUT, MAX_PIECE, PIECE_KIND, pieceBytes } from './blob.ts';

/** What the chunk above says of a part of a blob. */
export interface BlobPlace {
  /** Bytes of the blob in it and below it. */
  readonly size?: number;
  /** Level of the index that lists it. */
  readonly indexLevel?: number;
  /** Not the last of its level. */
  readonly mustEnd?: boolean;
  /** It is the whole blob. */
  readonly top?: boolean;
}

export type BlobPart = BlobPlace & { readonly hash: Hash };

/** `fanout`: as in BlobBuilder. @throws DvError `corrupt`, `newer-format` */
export function checkBlob(place: BlobPlace, bytes: Uint8Array, fanout = FANOUT): string[] {
  return bytes[0] === PIECE_KIND
    ? checkPiece(place, pieceBytes(bytes))
    : checkIndex(place, decodeIndex(bytes), fanout);
}

function checkPiece(place: BlobPlace, bytes: Uint8Array): string[] {
  const complaints = checkPlace(place, 0, bytes.length);
  if (bytes.length > MAX_PIECE) return [...complaints, 'a piece of a blob is too long'];
  const end = boundaryOf(bytes);
  if (bytes.length === 0 && place.indexLevel !== undefined) complaints.push('a piece has no bytes');
  if (end === 'before') complaints.push('a piece of a blob has a boundary inside');
  if (place.mustEnd && end === 'none') complaints.push('a piece of a blob ends at no boundary');
  return complaints;
}

function checkIndex(
  place: BlobPlace,
  { level, children }: ReturnType<typeof decodeIndex>,
  fanout: number,
): string[] {
  const size = children.reduce((sum, child) => sum + child.size, 0);
  const complaints = checkPlace(place, level, size);
  const { length } = children;
  if (length === 0) complaints.push('an index of a blob is empty');
  if (length > fanout || (place.mustEnd && length < fanout)) {
    complaints.push(`an index of a blob has ${length} children, not ${fanout}`);
  }
  if (place.top && length === 1) complaints.push('the top of a blob has one child only');
  return complaints;
}

function checkPlace({ size, indexLevel }: BlobPlace, level: number, found: number): string[] {
  const complaints: string[] = [];
  if (indexLevel !== undefined && level !== indexLevel - 1) {
    complaints.push(`a part of a blob has level ${level} below level ${indexLevel}`);
  }
  if (size !== undefined && found !== size) {
    complaints.push(`a blob has ${found} bytes, ${size} are expected`);
  }
  return complaints;
}

/** The parts that an index lists; none of a piece. @throws DvError `corrupt` */
export function blobParts({ mustEnd }: BlobPlace, bytes: Uint8Array): BlobPart[] {
  if (bytes[0] === PIECE_KIND) return [];
  const { level, children } = decodeIndex(bytes);
  return children.map(({ hash, size }, i) => ({
    hash,
    size,
    indexLevel: level,
    mustEnd: i < children.length - 1 || (mustEnd ?? false),
  }));
}

/** The blobs that rows of a leaf refer to. @throws DvError `corrupt` */
export function cellBlobs(leaf: Node): BlobPart[] {
  if ((leaf.flags & FLAG_REFERS) === 0) return [];
  const parts: BlobPart[] = [];
  for (let i = 0; i < leaf.count; i++) {
    for (const { blob, size } of outgoingBlobs(leaf.value(i))) {
      parts.push({ hash: blob, size, top: true });
    }
  }
  return parts;
}
