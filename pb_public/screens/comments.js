// What people say about a post, and the answers to it.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { because, fieldErrors, pb } from '../lib/api.js';
import { openThread } from '../lib/thread.js';
import { Confirm } from './dialog.js';
import { useDraft } from './drafts.js';
import { Menu } from './menu.js';
import { Face, Handle, Words, handleOf } from './people.js';
import { useSession } from './session.js';
import { Ago, Loading, Sign, Trouble, count, later, number } from './ui.js';
import { Writing } from './writing.js';

const Report = later(() => import('./report.js').then((module) => module.Report));

function Comment({ comment, post, marked, onAnswer, onRemove }) {
  const { user, guest, invite } = useSession();
  const [dialog, setDialog] = useState('');
  const item = useRef(null);
  const isMarked = marked === comment.id;
  useEffect(() => {
    if (isMarked) item.current.scrollIntoView({ block: 'center' });
  }, [isMarked]);

  const author = comment.expand?.author;
  if (comment.deleted) return html`<div class="comment is-gone" ref=${item}><span class="avatar" aria-hidden="true"></span><p class="hint">This comment was deleted.</p></div>`;
  const { on: liked, count: likes } = comment.like.shown();
  const mine = comment.author === user.id;
  const actions = [
    (mine || post.author === user.id) && { word: 'Delete', onClick: () => setDialog('delete'), danger: true },
    !mine && { word: 'Report', onClick: () => setDialog('report'), danger: true },
  ];
  return html`<div class=${`comment ${isMarked ? 'is-marked' : ''}`} ref=${item}>
    <${Face} user=${author} />
    <div class="comment-body">
      <p class="comment-text" dir="auto"><${Handle} user=${author} /> <${Words} text=${comment.text} /></p>
      <p class="comment-foot">
        ${comment.waiting ? html`<span class="waiting"><${Sign} name="clock" />${comment.waiting === 'queued' ? 'waits for a connection' : 'sending…'}</span>` : html`<${Ago} at=${comment.created} />`}
        ${comment.hidden && html`<span class="post-lock"><${Sign} name="lock" />Hidden by a moderator</span>`}
        ${likes > 0 && html`<span>${count(likes, 'like')}</span>`}
        ${!comment.waiting && !post.commentsOff && html`<button class="link link-quiet" aria-label=${`Reply to ${handleOf(author)}`} onClick=${() => (guest ? invite() : onAnswer(comment))}>Reply</button>`}
      </p></div>
    ${!comment.waiting && html`<button class=${liked ? 'action like action-small is-liked' : 'action like action-small'} aria-pressed=${liked} aria-label=${`Like the comment by ${handleOf(author)}`} onClick=${guest ? invite : comment.like.toggle}><${Sign} name="heart" /></button>`}
    ${!guest && html`<${Menu} label=${`More about the comment by ${handleOf(author)}`} actions=${actions} />`}
    ${dialog === 'delete' && html`<${Confirm} title="Delete this comment?" action="Delete comment" onDo=${() => onRemove(comment)} onClose=${() => setDialog('')}>It cannot be brought back.<//>`}
    ${dialog === 'report' && html`<${Report} quiet target=${{ comment: comment.id }} what="this comment" onClose=${() => setDialog('')} />`}
  </div>`;
}

export function Comments({ post, marked }) {
  const { guest, invite, outbox, say, live, liveChanges } = useSession();
  const [, draw] = useState(0);
  const [error, setError] = useState(null);
  const [phase, setPhase] = useState('loading');
  const [{ text = '', answering = null }, change, drop] = useDraft(`comment/${post.id}`);
  const latest = useRef('');
  latest.current = text;
  const [problem, setProblem] = useState('');
  const [thread] = useState(() => openThread(pb, post.id, { outbox, onChange: () => draw((n) => n + 1), onError: (err) => say(`That did not go through. ${because(err)}`) }));
  const field = useRef(null);

  async function more() {
    setPhase('loading');
    setError(null);
    try {
      await thread.more();
      setPhase('ready');
    } catch (err) {
      setError(err);
      setPhase('failed');
    }
  }
  useEffect(() => void more(), []);
  useEffect(() => thread.counted(post.commentsCount), [post.commentsCount]);
  useEffect(() => {
    let was = live.connected;
    return liveChanges.listen(() => {
      if (live.connected && !was && phase === 'ready') thread.refresh();
      was = live.connected;
    });
  }, [phase]);

  // a notification may lead to an answer that is not open yet
  useEffect(() => {
    if (!marked || phase !== 'ready' || thread.roots().some((one) => one.id === marked)) return;
    pb.collection('comments').getOne(marked, { requestKey: null }).then((found) => found.parent && thread.answers(found.parent)).catch(() => {});
  }, [marked, phase]);

  const nameOf = (comment) => (comment ? `@${handleOf(comment.expand?.author)} ` : '');
  const withoutName = () => (text.startsWith(nameOf(answering)) ? text.slice(nameOf(answering).length) : text);
  function answer({ id, parent, expand }) {
    const to = { id, parent, expand: { author: { handle: expand?.author?.handle } } };
    change({ answering: to, text: nameOf(to) + withoutName() });
    field.current?.focus();
  }
  const stopAnswering = () => change({ answering: null, text: withoutName() });

  async function send(event) {
    event?.preventDefault();
    const said = text.trim();
    if (!said) return;
    const root = answering ? answering.parent || answering.id : '';
    drop();
    setProblem('');
    try {
      await thread.write(said, root);
    } catch (err) {
      change({ answering, text: [said, latest.current].filter((one) => one.trim()).join(' ') }); // nothing written is lost
      setProblem(fieldErrors(err).text ?? (err.status === 400 ? 'This comment was not accepted.' : because(err)));
    }
  }

  const remove = (comment) => thread.remove(comment);
  const one = (comment) => html`<${Comment} key=${comment.id} comment=${comment} post=${post} marked=${marked} onAnswer=${answer} onRemove=${remove} />`;
  const roots = thread.roots();
  return html`<section class="thread" aria-label="Comments">
    <h2 class="thread-title">Comments ${post.commentsCount > 0 && html`<span class="soft">${number(post.commentsCount)}</span>`}</h2>
    ${post.commentsOff ? html`<p class="hint">Comments are off for this post.</p>` : guest ? html`<p><button class="button button-wide" onClick=${invite}>Say something kind</button></p>` : html`<form class="say" onSubmit=${send}>
      ${answering && html`<p class="say-to">Replying to <bdi>${handleOf(answering.expand?.author)}</bdi> <button type="button" class="link link-quiet" onClick=${stopAnswering}>Cancel</button></p>`}
      <${Writing} id="say" label="Your comment" hideLabel value=${text} onInput=${(text) => change({ text })} onEnter=${send} rows="1" most="2200" placeholder="Say something kind" field=${field} />
      <button class="button button-main" disabled=${!text.trim()}>Send</button>
      ${problem && html`<p class="notice" role="alert">${problem}</p>`}
    </form>`}
    ${error && !roots.length && html`<${Trouble} what="The comments" error=${error} onAgain=${more} />`}
    ${phase === 'loading' && !roots.length && html`<${Loading} what="Comments" />`}
    ${phase === 'ready' && !roots.length && !post.commentsOff && html`<p class="hint">Nobody has said anything yet.</p>`}
    <ol class="comments">${roots.map((root) => html`<li key=${root.id}>${one(root)}
      ${(root.answers.length > 0 || root.hiddenAnswers > 0) && html`<ol class="answers">${root.answers.map((comment) => html`<li key=${comment.id}>${one(comment)}</li>`)}
        ${root.hiddenAnswers > 0 && html`<li><button class="link link-quiet" onClick=${() => thread.answers(root.id).catch((err) => say(because(err)))}>
          ${root.opened ? 'View more replies' : `View ${root.hiddenAnswers === 1 ? 'the reply' : count(root.hiddenAnswers, 'reply', 'replies')}`}</button></li>`}</ol>`}</li>`)}</ol>
    ${phase !== 'loading' && roots.length > 0 && !thread.done && html`<button class="button button-wide" onClick=${more}>Show older comments</button>`}
  </section>`;
}
