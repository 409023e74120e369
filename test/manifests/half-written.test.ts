import { HalfWrittenFiles } from '../../src/manifests/half-written';
import { parseFile } from '../../src/manifests/manifest-file';

const HEAD = 'apiVersion: dapr.io/v1alpha1\n';
const COMPONENT = `${HEAD}kind: Component\nspec: {type: lock.redis}\n`;
const RESILIENCY = 'kind: Resiliency\nspec: {}\n';
const OTHER = 'apiVersion: v1\nkind: ConfigMap\n';

const fileOf = (text: string) => ({
  file: 'f.yaml',
  text,
  documents: parseFile('f.yaml', text),
  problem: undefined,
});

describe('a file of which something is in use', () => {
  const problemOf = (before: string, after: string, isInUse = true) => {
    const files = new HalfWrittenFiles();
    files.accept([fileOf(before)]);
    const [file] = files.suspect([fileOf(after)], () => isInUse);
    return file?.problem;
  };

  it.each([
    ['', 'the file is empty'],
    ['# soon\n---\n', 'the file is empty'],
    ['apiV', 'is cut off'],
    [HEAD, 'is cut off'],
    ['apiVersion: dapr.io/v1al', 'is cut off'],
    [`${HEAD}kind:`, 'is cut off'],
    [`${HEAD}kind: Comp`, 'is cut off'],
    [`${HEAD}kind: Resilienc`, 'is cut off'],
    ['kind: Resiliency\nmetadata: {name: x}', 'is cut off'],
    [`${COMPONENT}---\n`, 'is cut off'],
    [`${COMPONENT}---\n${HEAD}`, 'is cut off'],
  ])('is broken where it is only %j', (text, problem) => {
    const sentence = expect.stringContaining(problem) as string;
    expect(problemOf(`${COMPONENT}---\n${COMPONENT}`, text)).toEqual(sentence);
    if (!text.includes(COMPONENT)) expect(problemOf(RESILIENCY, text)).toEqual(sentence);
  });

  it.each([COMPONENT, OTHER, `${OTHER}---\n${COMPONENT}`, `${HEAD}kind: Subscription\n`])(
    'has changed where it is %j',
    (text) => {
      expect(problemOf(`${COMPONENT}---\n${COMPONENT}`, text)).toBeUndefined();
    },
  );

  it.each([
    COMPONENT,
    RESILIENCY,
    `${COMPONENT}---\n${COMPONENT}`,
    `${RESILIENCY}---\n${COMPONENT}`,
    `${COMPONENT}---\n${RESILIENCY}`,
  ])('keeps what it held wherever a writer is while it writes %j', (text) => {
    const whole = [COMPONENT, RESILIENCY].flatMap((each) => [each, each.trimEnd()]);
    for (let length = 0; length < text.trimEnd().length; length += 1) {
      const written = text.slice(0, length);
      const file = fileOf(written);
      const isUnread = file.documents.some(({ problem }) => problem !== undefined);
      // Where the first document ends nobody can know of the next.
      const isKept = isUnread || problemOf(text, written) !== undefined || whole.includes(written);
      expect({ written, isKept }).toEqual({ written, isKept: true });
    }
  });

  it('has changed where a document is gone whose file ends without a line break', () => {
    expect(problemOf(`${COMPONENT}---\n${COMPONENT}`, COMPONENT.trimEnd())).toBeUndefined();
  });

  it('has changed where an empty document stands before the last', () => {
    expect(
      problemOf(`${COMPONENT}---\n${COMPONENT}`, `---\n# gone\n---\n${COMPONENT}`),
    ).toBeUndefined();
  });

  it('may have held as little before', () => {
    expect(problemOf(`${COMPONENT}---\n`, `${COMPONENT}---\n`)).toBeUndefined();
    expect(problemOf(`${COMPONENT}---\n${HEAD}`, `${COMPONENT}---\n${HEAD}`)).toBeUndefined();
  });

  it('is broken at every reading until it is whole', () => {
    const files = new HalfWrittenFiles();
    files.accept([fileOf(COMPONENT)]);
    for (let reading = 0; reading < 3; reading += 1) {
      const suspected = files.suspect([fileOf(HEAD)], () => true);
      expect(suspected[0]?.problem).toBeDefined();
      files.accept(suspected);
    }
  });
});

describe('a file that stays as if it were half written', () => {
  let now: number;
  let files: HalfWrittenFiles;
  beforeEach(() => {
    now = 0;
    files = new HalfWrittenFiles(() => now);
    files.accept([fileOf(`${COMPONENT}---\n${COMPONENT}`)]);
  });
  const read = (text: string, isInUse = true) => {
    const suspected = files.suspect([fileOf(text)], () => isInUse);
    files.accept(suspected);
    return suspected[0]?.problem;
  };

  it.each([`${COMPONENT}---\n`, `${COMPONENT}---\n# ${HEAD}`, '# soon\n', ''])(
    'counts as it stands once it has not changed for 3 s: %j',
    (text) => {
      expect(read(text)).toBeDefined();
      now = 2999;
      expect(read(text)).toBeDefined();
      expect(files.settlesInMs).toBe(1);
      now = 3000;
      expect(read(text)).toBeUndefined();
      expect(files.settlesInMs).toBeUndefined();
    },
  );

  it('is waited for anew with each change, in a comment too', () => {
    read(`${COMPONENT}---\n`);
    now = 2999;
    read(`${COMPONENT}---\n# a`);
    now = 3000;
    expect(read(`${COMPONENT}---\n# a`)).toBeDefined();
    expect(files.settlesInMs).toBe(2999);
    now = 5999;
    expect(read(`${COMPONENT}---\n# a`)).toBeUndefined();
  });

  it('is waited for anew after it was whole in between', () => {
    read('');
    now = 2000;
    read(`${COMPONENT}---\n${COMPONENT}`);
    now = 3000;
    expect(read('')).toBeDefined();
    expect(files.settlesInMs).toBe(3000);
  });

  it('is not waited for where nothing of it is in use any more', () => {
    read('');
    now = 1;
    read('', false);
    expect(files.settlesInMs).toBeUndefined();
  });
});

describe('a file of which nothing is in use', () => {
  it('may be anything', () => {
    const files = new HalfWrittenFiles();
    files.accept([fileOf(COMPONENT)]);
    const empty = fileOf('');
    expect(files.suspect([empty], () => false)).toEqual([empty]);
  });
});
