/** Remotes by path, as people type them: what git does, with rows. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitOf, expectSound, failing, RemoteScene, ROWS } from '../support/remote-scene.ts';

describe('clone', () => {
  test('brings files, branches and tags, and follows', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    await first.ok('tag', 'v1');
    await first.ok('branch', 'fix');
    await first.ok('push', 'origin', 'fix', 'v1');
    const clone = await scene.clone(url, 'clone');
    expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe(ROWS);
    expect(await clone.json('status')).toMatchObject({
      branch: 'main',
      clean: true,
      tracking: { upstream: 'origin/main', ahead: 0, behind: 0 },
    });
    expect(await clone.json('branch', '-a')).toMatchObject({
      branches: [
        { branch: 'main', current: true },
        { branch: 'origin/fix', remote: true },
        { branch: 'origin/main', remote: true },
      ],
    });
    expect(await clone.json('tag')).toMatchObject({ tags: [{ tag: 'v1' }] });
    expect(await clone.json('remote')).toEqual({
      remotes: [{ name: 'origin', url, pushUrl: url }],
    });
    await expectSound(clone);
  });

  test('into a name that the URL gives, at a branch, bare, without files', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    await first.ok('switch', '-q', '-c', 'fix');
    await first.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    await first.ok('push', '-u', 'origin', 'fix');
    const there = scene.shell('there');
    await there.ok('clone', url);
    const named = scene.shell('there/shared');
    expect(await named.ok('branch', '--show-current')).toBe('main\n');
    const atFix = await scene.clone(url, 'at-fix', '-b', 'fix');
    expect(readFileSync(join(atFix.directory, 'x.csv'), 'utf8')).toContain('4,d');
    expect(await atFix.ok('branch', '-vv')).toContain('[origin/fix]');
    const bare = await scene.clone(url, 'bare', '--bare');
    expect(existsSync(join(bare.directory, 'x.csv'))).toBe(false);
    expect(await bare.ok('branch')).toContain('fix');
    const empty = await scene.clone(url, 'empty', '--no-checkout');
    expect(existsSync(join(empty.directory, 'x.csv'))).toBe(false);
    expect(await commitOf(empty)).toBe(await commitOf(first, 'main'));
  });

  test('at a tag is on no branch, whatever it comes from', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const at = await commitOf(first);
    await first.ok('tag', 'light');
    await first.ok('tag', '-a', '-m', 'As published', 'v1');
    await first.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    await first.ok('push', '--all', '--tags', 'origin');
    await first.ok('bundle', 'create', '../all.bundle');
    for (const [i, from] of [url, '../all.bundle'].entries()) {
      for (const tag of ['light', 'v1']) {
        const place = `${tag}-${i}`;
        expect(await first.json('clone', '-b', tag, from, `../${place}`)).toMatchObject({
          branch: null,
          commit: at,
        });
        const clone = scene.shell(place);
        expect(await clone.json('status')).toMatchObject({ branch: null, commit: at, clean: true });
        expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe(ROWS);
        await expectSound(clone);
      }
    }
  });

  test('of nothing yet', async () => {
    const scene = new RemoteScene();
    const origin = scene.shell('origin');
    await origin.ok('init', '--bare', '--quiet');
    const clone = await scene.clone(origin.directory, 'clone');
    await clone.commit('x.csv', ROWS, 'One');
    await clone.ok('push', '-u', 'origin', 'main');
    expect(await commitOf(origin, 'main')).toBe(await commitOf(clone));
  });

  test('refuses, and leaves nothing', async () => {
    const scene = new RemoteScene();
    const { url } = await scene.openPublished();
    const here = scene.shell('here');
    here.write('mine', 'x');
    const full = await failing(here, 'clone', url, '.');
    expect(full.error).toMatchObject({ code: 'already-exists' });
    const absent = await failing(here, 'clone', './nothing');
    expect(absent).toMatchObject({ status: 4, error: { code: 'remote-unreachable' } });
    const noBranch = await failing(here, 'clone', '-b', 'none', url, 'new');
    expect(noBranch.error).toMatchObject({ code: 'unknown-ref' });
    const noDv = await failing(here, 'clone', '.', 'new');
    expect(noDv.error).toMatchObject({ code: 'not-dv' });
    const scheme = await failing(here, 'clone', 'ssh://host/x', 'new');
    expect(scheme.error).toMatchObject({ code: 'bad-name' });
    expect(existsSync(join(here.directory, 'new'))).toBe(false);
    expect(readFileSync(join(here.directory, 'mine'), 'utf8')).toBe('x');
  });

  test('that was killed goes on when it is run again', async () => {
    const scene = new RemoteScene();
    const { url } = await scene.openPublished();
    const half = join(scene.directory, 'half');
    mkdirSync(join(half, '.dv'), { recursive: true });
    writeFileSync(join(half, '.dv', 'cloning'), JSON.stringify({ url }));
    const other = await failing(scene.shell('.'), 'clone', '--depth', '1', url, 'half');
    expect(other.error).toMatchObject({ code: 'already-exists' });
    expect(await scene.shell('.').json('clone', url, 'half')).toMatchObject({ resumed: true });
    await expectSound(scene.shell('half'));
    expect(existsSync(join(half, '.dv', 'cloning'))).toBe(false);
  });
});

describe('fetch and pull', () => {
  test('what others pushed comes, and is merged by row', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Mine');
    await second.ok('push');
    expect(await first.ok('fetch', '--quiet')).toBe('');
    expect(await first.json('status')).toMatchObject({ tracking: { ahead: 0, behind: 1 } });
    await first.commit('x.csv', 'id,name\n1,a\n2,b\n3,C\n', 'Theirs');
    expect(await first.ok('status')).toContain('have parted: 1 and 1 commits');
    const refused = await failing(first, 'pull', '--ff-only');
    expect(refused).toMatchObject({ status: 3, error: { code: 'not-fast-forward' } });
    const [fetched, merged] = await first.lines('pull');
    expect(fetched).toMatchObject({ remote: 'origin', url });
    expect(merged).toMatchObject({ outcome: 'merged' });
    expect(readFileSync(join(first.directory, 'x.csv'), 'utf8')).toBe('id,name\n1,A\n2,b\n3,C\n');
    expect(await first.ok('log', '-1', '--pretty', '%s')).toBe(`Merge branch 'main' of ${url}\n`);
    await first.ok('push');
    expect(await second.lines('pull')).toMatchObject([{}, { outcome: 'fast-forward' }]);
    expect(await commitOf(second)).toBe(await commitOf(first));
    expect(await first.ok('hash', 'x.csv')).toBe(await second.ok('hash', 'x.csv'));
  });

  test('--rebase puts own commits on top', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    const theirs = await second.commit('x.csv', `${ROWS}4,d\n`, 'Theirs');
    await second.ok('push');
    await first.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Mine');
    await first.ok('pull', '--rebase');
    expect(await first.ok('log', '--pretty', '%s')).toBe('Mine\nTheirs\nOne\n');
    expect(await commitOf(first, 'HEAD~1')).toBe(theirs);
  });

  test('conflicts stop a pull, and exit with 1', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.commit('x.csv', 'id,name\n1,B\n2,b\n3,c\n', 'Theirs');
    await second.ok('push');
    await first.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Mine');
    const { status } = await first.run(['pull']);
    expect(status).toBe(1);
    await first.ok('merge', '--abort');
    await first.ok('pull', '--resolve', 'theirs');
    expect(readFileSync(join(first.directory, 'x.csv'), 'utf8')).toContain('1,B');
  });

  test('prunes, follows tags, and leaves what is checked out', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    await first.ok('branch', 'gone');
    await first.ok('push', 'origin', 'gone');
    const second = await scene.clone(url, 'second');
    await first.ok('push', 'origin', '--delete', 'gone');
    await first.ok('tag', '-a', 'v1', '-m', 'first');
    await first.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    await first.ok('push', 'origin', 'main', 'v1');
    expect(await second.json('fetch', '--dry-run', '--prune')).toMatchObject({
      refs: [{ target: 'refs/remotes/origin/main' }, { outcome: 'deleted' }],
    });
    const { stderr } = await second.run(['fetch', '--prune']);
    expect(stderr).toMatch(/^From .*shared\n/);
    expect(stderr).toMatch(/ {3}[0-9a-f]+\.\.[0-9a-f]+ +main +-> origin\/main\n/);
    expect(stderr).toMatch(/ \* \[new tag\] +v1 +-> v1\n/);
    expect(stderr).toMatch(/ - \[deleted\] +\(none\) +-> origin\/gone\n/);
    expect(await second.json('tag')).toMatchObject({ tags: [{ tag: 'v1' }] });
    const current = await failing(second, 'fetch', 'origin', 'main:main');
    expect(current.error).toMatchObject({ code: 'unsaved-changes' });
    await second.ok('fetch', 'origin', 'main:copy');
    expect(await commitOf(second, 'copy')).toBe(await commitOf(first));
  });

  test('a branch that was rewritten is forced where it is followed, and else refused', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.ok('branch', 'copy', 'origin/main');
    await first.ok('commit', '--amend', '-m', 'Other');
    await first.ok('push', '--force');
    const { stderr } = await second.run(['fetch']);
    expect(stderr).toContain('(forced update)');
    const refused = await failing(second, 'fetch', 'origin', 'main:copy');
    expect(refused.error).toMatchObject({ code: 'not-fast-forward' });
    await second.ok('fetch', 'origin', '+main:copy');
    expect(await commitOf(second, 'copy')).toBe(await commitOf(first));
  });
});

describe('push', () => {
  test('is refused with what to do, and lets the remote merge', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Theirs');
    await second.ok('push');
    await first.commit('x.csv', 'id,name\n1,a\n2,b\n3,C\n', 'Mine');
    const refused = await failing(first, 'push');
    expect(refused).toMatchObject({ status: 3, error: { code: 'not-fast-forward' } });
    expect(refused.error.hint).toContain('dv pull');
    await first.ok('fetch');
    const counted = await failing(first, 'push');
    expect(counted.error.message).toContain('1 commit you do not have');
    const merged = (await first.json('push', '--merge')) as { refs: { hash: string }[] };
    expect(merged).toMatchObject({
      refs: [{ outcome: 'merged' }],
      advanced: [{ branch: 'main' }],
      toPull: [],
    });
    expect(await commitOf(first)).toBe(merged.refs[0].hash);
    expect(await commitOf(first, 'origin/main')).toBe(merged.refs[0].hash);
    expect(readFileSync(join(first.directory, 'x.csv'), 'utf8')).toBe('id,name\n1,A\n2,b\n3,C\n');
    await second.commit('x.csv', 'id,name\n1,A\n2,b\n3,X\n', 'Clash');
    const clash = await failing(second, 'push', '--merge');
    expect(clash).toMatchObject({ status: 3, error: { code: 'conflicts-left' } });
  });

  test('--merge leaves unsaved work alone', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.commit('x.csv', 'id,name\n1,A\n2,b\n3,c\n', 'Theirs');
    await second.ok('push');
    const mine = await first.commit('y.csv', 'id\n1\n', 'Mine');
    first.write('x.csv', 'id,name\n9,z\n');
    expect(await first.json('push', '--merge')).toMatchObject({ advanced: [], toPull: ['main'] });
    expect(await commitOf(first)).toBe(mine);
    expect(readFileSync(join(first.directory, 'x.csv'), 'utf8')).toBe('id,name\n9,z\n');
  });

  test('leases, deletes, tags, all, atomic, dry run', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const second = await scene.clone(url, 'second');
    await second.commit('x.csv', `${ROWS}4,d\n`, 'Theirs');
    await second.ok('push');
    await first.ok('commit', '--amend', '-m', 'Rewritten');
    const stale = await failing(first, 'push', '--force-with-lease');
    expect(stale.error).toMatchObject({ code: 'ref-moved' });
    await first.ok('fetch');
    await first.ok('push', '--force-with-lease');
    expect(await commitOf(scene.shell('shared'), 'main')).toBe(await commitOf(first));
    await first.ok('branch', 'a');
    await first.ok('tag', 't');
    const dry = await first.json('push', '--all', '--tags', '--dry-run');
    expect(dry).toMatchObject({ dryRun: true, refs: [{ outcome: 'new' }, {}, { outcome: 'new' }] });
    expect(await first.json('ls-remote')).toMatchObject({ refs: [{ name: 'refs/heads/main' }] });
    await first.ok('push', '--all', '--tags');
    expect(await first.json('ls-remote', 'origin')).toMatchObject({
      head: 'refs/heads/main',
      refs: [{ name: 'refs/heads/a' }, { name: 'refs/heads/main' }, { name: 'refs/tags/t' }],
    });
    await second.ok('branch', 'b');
    const atomic = await failing(second, 'push', '--atomic', 'origin', 'main', 'b');
    expect(atomic).toMatchObject({ status: 3, error: { code: 'not-fast-forward' } });
    expect(atomic.error.message).toBe('2 of 2 refs were refused');
    expect(await first.ok('ls-remote', 'origin', 'b')).toBe('');
    await first.ok('push', 'origin', ':a', '--quiet');
    const main = await commitOf(first);
    expect(await first.ok('ls-remote', '--heads')).toBe(`${main}\trefs/heads/main\n`);
    expect(await first.ok('ls-remote')).toMatch(
      new RegExp(`^${main}\tHEAD\n${main}\trefs/heads/main\n`),
    );
    const noRef = await failing(first, 'push', 'origin', '--delete', 'none');
    expect(noRef.error).toMatchObject({ code: 'unknown-ref' });
  });

  test('a lease stands behind =, so that a remote may follow the flag', async () => {
    const scene = new RemoteScene();
    const { first } = await scene.openPublished();
    await first.ok('push', 'origin', 'main:fix');
    await first.ok('commit', '--amend', '-m', 'Rewritten');
    await first.ok('push', '--force-with-lease', 'origin', 'main:fix');
    expect(await commitOf(first, 'origin/fix')).toBe(await commitOf(first));
    const other = await failing(first, 'push', '--force-with-lease=fix', 'origin', 'main');
    expect(other.error).toMatchObject({ code: 'not-fast-forward' });
    await first.ok('push', '--force-with-lease=main:main@{1}', 'origin', 'main');
    expect(await commitOf(first, 'origin/main')).toBe(await commitOf(first));
  });

  test('refuses flags that contradict each other, and sources that are not there', async () => {
    const scene = new RemoteScene();
    const { first } = await scene.openPublished();
    const cases: [args: string[], message: string][] = [
      [['--delete', 'origin'], "'--delete' needs the names of refs"],
      [['--all', '--delete', 'origin'], "'--delete' and '--all' exclude each other"],
      [['--tags', '--delete', 'origin', 'x'], "'--delete' and '--tags' exclude each other"],
      [['--all', 'origin', 'main'], "'--all' pushes every branch, so name none"],
      [['origin', 'none'], '"none" names no commit'],
      [['origin', 'none:refs/heads/x'], '"none" names no commit'],
      [['origin', 'main~0:x'], "'main~0' is no branch, so 'x' may be a branch or a tag"],
    ];
    for (const [args, message] of cases) {
      const { status, error } = await failing(first, 'push', ...args);
      expect({ status, message: error.message }).toEqual({ status: 2, message });
    }
  });

  test('to a repository with files is refused, unless it says otherwise', async () => {
    const scene = new RemoteScene();
    const origin = scene.shell('origin');
    await origin.ok('init', '--quiet');
    await origin.commit('x.csv', ROWS, 'One');
    const clone = await scene.clone(origin.directory, 'clone');
    const two = await clone.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    const refused = await failing(clone, 'push');
    expect(refused.error).toMatchObject({ code: 'push-refused' });
    await origin.ok('config', 'receive.denyCurrentBranch', 'updateInstead');
    await clone.ok('push');
    expect(await commitOf(origin)).toBe(two);
    expect(readFileSync(join(origin.directory, 'x.csv'), 'utf8')).toContain('4,d');
  });

  test('says where to when nothing says so', async () => {
    const scene = new RemoteScene();
    const { first } = await scene.openPublished();
    await first.ok('switch', '-q', '-c', 'new');
    expect((await failing(first, 'push')).error).toMatchObject({ code: 'no-upstream' });
    await first.ok('push', '-u');
    expect(await first.ok('branch', '-vv')).toContain('[origin/new]');
    await first.ok('switch', '-q', '--detach', 'HEAD');
    expect((await failing(first, 'push')).error).toMatchObject({ code: 'bad-option' });
    expect((await failing(first, 'push', 'nowhere')).error).toMatchObject({
      code: 'unknown-remote',
    });
  });
});

describe('remotes', () => {
  test('get names, addresses and other names', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    expect((await failing(first, 'remote', 'add', 'origin', url)).error.code).toBe(
      'already-exists',
    );
    expect((await failing(first, 'remote', 'add', 'a/b', url)).error.code).toBe('bad-name');
    const secret = await failing(first, 'remote', 'add', 'x', 'https://me:s3cret@example.org/x');
    expect(JSON.stringify(secret)).not.toContain('s3cret');
    await first.ok('remote', 'rename', 'origin', 'up');
    expect(await first.ok('branch', '-avv')).toContain('[up/main]');
    expect(await first.ok('branch', '-r')).toBe('  up/main\n');
    await first.ok('remote', 'set-url', 'up', 'https://example.org/x');
    expect(await first.ok('remote', '-v')).toContain('https://example.org/x (push)');
    await first.ok('remote', 'set-url', 'up', url);
    expect(await first.json('remote', 'show', 'up')).toMatchObject({
      head: 'main',
      branches: [{ branch: 'main', state: 'tracked' }],
      upstreams: [{ branch: 'main', merge: 'refs/heads/main' }],
    });
    await first.ok('remote', 'remove', 'up');
    expect(await first.ok('branch', '-a')).toBe('* main\n');
    expect(await first.json('remote')).toEqual({ remotes: [] });
    expect(await first.json('status')).not.toHaveProperty('tracking');
  });

  test('a branch that one remote has is made by switching to it', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    await first.ok('branch', 'fix');
    await first.ok('push', 'origin', 'fix');
    const clone = await scene.clone(url, 'clone');
    expect(await clone.json('switch', 'fix')).toMatchObject({
      branch: 'fix',
      upstream: 'origin/fix',
    });
    const ahead = await clone.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    expect(await clone.ok('status')).toContain("ahead of 'origin/fix' by 1 commit");
    expect(await clone.ok('status', '-sb')).toContain('## fix...origin/fix [ahead 1]');
    expect(await commitOf(clone, '@{u}')).toBe(await commitOf(clone, 'HEAD~1'));
    expect(await clone.lines('log', '@{upstream}..')).toMatchObject([{ commit: ahead }]);
    expect(await clone.ok('log', '--oneline', '--decorate')).toContain('origin/fix');
    await clone.ok('branch', '--unset-upstream');
    expect((await failing(clone, 'log', '@{u}')).error.code).toBe('no-upstream');
    await clone.ok('branch', '-u', 'origin/main');
    expect(await clone.ok('branch', '-vv')).toContain('[origin/main: ahead 1]');
  });

  test('what a fetch brought is no operation to undo', async () => {
    const scene = new RemoteScene();
    const { url, first } = await scene.openPublished();
    const clone = await scene.clone(url, 'clone');
    const mine = await clone.commit('y.csv', 'id\n1\n', 'Mine');
    await first.commit('x.csv', `${ROWS}4,d\n`, 'Two');
    await first.ok('push');
    await clone.ok('fetch');
    await clone.ok('undo');
    expect(await commitOf(clone)).not.toBe(mine);
    expect(await commitOf(clone, 'origin/main')).toBe(await commitOf(first));
  });
});

test('bundles carry a repository in a file', async () => {
  const scene = new RemoteScene();
  const { first } = await scene.openPublished();
  await first.ok('tag', 'v1');
  const file = join(scene.directory, 'all.bundle');
  expect(await first.json('bundle', 'create', file)).toMatchObject({
    head: 'refs/heads/main',
    prerequisites: [],
  });
  expect((await failing(first, 'bundle', 'create', file)).error.code).toBe('already-exists');
  expect(await first.json('bundle', 'verify', file)).toMatchObject({ missing: [] });
  const clone = await scene.clone(file, 'clone');
  expect(readFileSync(join(clone.directory, 'x.csv'), 'utf8')).toBe(ROWS);
  await expectSound(clone);
  const two = await first.commit('x.csv', `${ROWS}4,d\n`, 'Two');
  const week = join(scene.directory, 'week.bundle');
  await first.ok('bundle', 'create', week, 'v1..main');
  const stranger = scene.shell('stranger');
  await stranger.ok('init', '--quiet');
  const { status } = await stranger.run(['bundle', 'verify', week]);
  expect(status).toBe(1);
  const needed = await commitOf(first, 'v1');
  for (const args of [
    ['bundle', 'unbundle', week],
    ['fetch', week, 'main'],
    ['clone', week, 'in'],
  ]) {
    const { error } = await failing(stranger, ...args);
    expect(error).toMatchObject({ code: 'bad-pack', data: { missing: [needed] } });
    expect(error.message).toContain(`goes on from ${needed}, which is not here`);
  }
  expect(existsSync(join(stranger.directory, 'in'))).toBe(false);
  await clone.ok('fetch', week, 'main:refs/remotes/week/main');
  expect(await commitOf(clone, 'week/main')).toBe(two);
  expect(await clone.ok('bundle', 'unbundle', week)).toContain('refs/heads/main');
  const bytes = readFileSync(week);
  writeFileSync(week, bytes.subarray(0, bytes.length - 10));
  expect((await failing(stranger, 'bundle', 'verify', week)).status).toBe(4);
  writeFileSync(week, 'no bundle');
  expect((await failing(clone, 'fetch', week)).error.code).toBe('not-dv');
  expect((await failing(clone, 'push', file, 'main:new')).error.code).toBe('read-only');
});
