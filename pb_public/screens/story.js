// Looking at stories: one after the other, with a bar for each that fills as its time goes by, and who saw mine.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { pb } from '../lib/api.js';
import { openCursor, openList } from '../lib/cursor.js';
import { Confirm, Dialog, useKeys } from './dialog.js';
import { Face, Handle, handleOf } from './people.js';
import { Person } from './persons.js';
import { Picture } from './photos.js';
import { useSession } from './session.js';
import { Ago, End, Loading, Sign, Trouble, count, useChannel, useMedia } from './ui.js';

const asPost = (story) => ({ ...story, photos: [story.photo], media: [] }); // what Picture shows

/** Who saw a story of mine, the newest first. */
function Viewers({ list, onClose }) {
  useChannel(list.changes);
  const { rows, phase, error } = list.get();
  const people = rows.map((row) => row.expand?.viewer).filter(Boolean);
  return html`<${Dialog} name="list" title="Seen by" onClose=${onClose}><div class="tray">
    ${phase === 'loading' && html`<${Loading} what="The list" />`}
    ${phase === 'failed' && !rows.length && html`<${Trouble} what="The list" error=${error} onAgain=${list.more} />`}
    ${phase === 'ready' && !people.length && html`<p class="hint">Nobody yet.</p>`}
    <ul class="persons">${people.map((one) => html`<${Person} key=${one.id} person=${one} />`)}</ul><${End} list=${list} /></div><//>`;
}

/** What only its author sees under a story. */
function Mine({ story, onAbove, onRemove }) {
  const [dialog, setDialog] = useState('');
  const [list] = useState(() => openList(openCursor(pb, 'story_views', { filter: pb.filter('story = {:id}', { id: story.id }), expand: 'viewer', perPage: 100 })));
  useChannel(list.changes);
  useEffect(() => void list.more(), []);
  const { rows } = list.get();
  const open = (name) => () => {
    onAbove(true);
    setDialog(name);
  };
  const close = () => {
    setDialog('');
    onAbove(false);
  };
  return html`<p class="story-mine"><button class="button" aria-haspopup="dialog" onClick=${open('viewers')}>${rows.length ? `Seen by ${count(rows.length, 'person', 'people').replace(/ /, list.done ? ' ' : '+ ')}` : 'Seen by nobody yet'}</button>
      <button class="button" onClick=${open('delete')}>Delete</button></p>
    ${dialog === 'viewers' && html`<${Viewers} list=${list} onClose=${close} />`}
    ${dialog === 'delete' && html`<${Confirm} title="Delete this story?" action="Delete story" onDo=${onRemove} onClose=${close}>It is gone for everybody at once.<//>`}`;
}

/** order is of authors' ids; what comes or goes meanwhile changes nothing under the viewer. */
export function Viewer({ stories, order, at, onClose }) {
  const { user, say } = useSession();
  useChannel(stories.changes);
  const still = useMedia('(prefers-reduced-motion: reduce)'); // nothing goes on by itself then
  const groups = new Map(stories.authors().map((group) => [group.author.id, group]));
  const [who, setWho] = useState(order[at]);
  const group = groups.get(who);
  const firstOf = (one) => one?.stories.find((story) => !stories.isSeen(story))?.id ?? one?.stories[0]?.id;
  const [id, setId] = useState(() => firstOf(group));
  const [finger, setFinger] = useState(false); // that holds the photo
  const [above, setBelow] = useState(false); // a dialog of the story's own
  const [hidden, setHidden] = useState(false); // the page
  const [paused, setPaused] = useState(false);
  const [shown, setShown] = useState(''); // the story whose photo is there
  const last = useRef(0); // where in the group it stood, should it go meanwhile
  const index = group?.stories.findIndex((one) => one.id === id) ?? -1;
  const story = group?.stories[index];
  if (index >= 0) last.current = index;

  function to(person, pick) {
    setWho(person);
    setId(pick(groups.get(person)));
  }
  const others = (by) => {
    const there = order.filter((one) => groups.has(one) || one === who);
    return there[there.indexOf(who) + by];
  };
  function next() {
    const following = group?.stories[story ? index + 1 : last.current];
    if (following) return setId(following.id);
    const person = others(1);
    return person ? to(person, firstOf) : onClose();
  }
  function before() {
    if (index > 0) return setId(group.stories[index - 1].id);
    const person = others(-1);
    return person ? to(person, (one) => one.stories.at(-1).id) : undefined;
  }

  useEffect(() => {
    if (!story) next(); // it is over, or was deleted
  });
  useEffect(() => {
    if (story && shown === story.id) stories.see(story);
  }, [shown]);
  useEffect(() => {
    const changed = () => setHidden(document.visibilityState === 'hidden');
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, []);
  function pressed(event) {
    if (event.key === 'ArrowRight') next();
    else if (event.key === 'ArrowLeft') before();
    else if (event.key === ' ' && !event.target.closest('button, a')) setPaused(!paused);
    else return;
    event.preventDefault();
  }
  useKeys('story', pressed);
  if (!story) return null;

  const release = () => setFinger(false);
  const { author } = group;
  const mine = author.id === user.id;
  const runs = !still && !paused && !finger && !above && !hidden && shown === story.id;
  return html`<${Dialog} name="story" title=${mine ? 'Your story' : `Story of ${handleOf(author)}`} onClose=${onClose}>
    <div class="story-view">
      <div class="story-bars" aria-hidden="true">${group.stories.map((one, n) => html`<span key=${one.id} class="story-bar">
        ${n < index || (n === index && still) ? html`<i class="is-full"></i>` : n === index ? html`<i key=${id} class=${runs ? 'is-now' : 'is-now is-held'} onAnimationEnd=${next}></i>` : ''}</span>`)}</div>
      <p class="visually-hidden" role="status">${`${index + 1} of ${group.stories.length}`}</p>
      <p class="story-head"><${Face} user=${author} /><span><${Handle} user=${author} /> <${Ago} at=${story.created} />${story.visibility === 'followers' && html` <span class="post-lock"><${Sign} name="lock" />Followers</span>`}</span>
        ${!still && html`<button class="icon-button" aria-pressed=${paused} aria-label="Pause" onClick=${() => setPaused(!paused)}><${Sign} name=${paused ? 'play' : 'pause'} /></button>`}</p>
      <div class="story-photo" onPointerDown=${() => setFinger(true)} onPointerUp=${release} onPointerCancel=${release} onPointerLeave=${release}>
        <${Picture} key=${story.id} post=${asPost(story)} eager alt=${`Story of ${handleOf(author)}`} sizes="100vw" onSize=${() => setShown(story.id)} />
        <button class="story-turn story-before" aria-label="Story before" disabled=${index === 0 && !others(-1)} onClick=${before}><${Sign} name="back" /></button>
        <button class="story-turn story-next" aria-label="Next story" onClick=${next}><${Sign} name="next" /></button>
      </div>
      ${mine && html`<${Mine} key=${story.id} story=${story} onAbove=${setBelow} onRemove=${() => stories.remove(story).then(() => say('Your story is deleted.'))} />`}
    </div><//>`;
}
