// SPDX-License-Identifier: Apache-2.0

// Requests to cancel, said by hand over two sessions face to face: whose they are to make, and when
// they are served.

#include <gtest/gtest.h>

#include <optional>

#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/rpc/dialog_pair.h"

namespace troupe {
namespace {

using testing::DialogPair;
using testing::RecordingHandler;
using testing::request;
using testing::ServedPair;
using testing::wait_all_tasks_blocked;
using testing::with_pair;

struct Silence {
  using Started = void;
};

void waits() { sleep_forever(); }
void answers() {}

// The context that waits in this process, and whether another task has seen its cancellation.
IpcContext* waiting = nullptr;
std::optional<bool> saw_it_cancelled;

void waits_in_context(Context<Silence>& ctx) {
  struct Forgets {
    ~Forgets() { waiting = nullptr; }
  } const forgets;
  waiting = &ctx;
  ctx.started();
  sleep_forever();
}
void looks() { saw_it_cancelled = waiting == nullptr || waiting->cancel_scope().cancel_called(); }

const Module stage = functions<&waits, &answers, &waits_in_context, &looks>();

// Says a frame without the care that callers take.
void say(DialogPair& pair, FrameKind kind, std::uint64_t dialog, BytesView payload = {}) {
  pair.connector.session.send_copy(kind, dialog, payload);
  pair.network.wake();
}

// Opens a dialog by hand. Lifetime: `handler` must outlive the connection.
std::uint64_t start(DialogPair& pair, RecordingHandler& handler, BytesView payload) {
  pair.transcripts.watched = false;
  const std::uint64_t dialog = pair.connector.session.open_dialog(handler);
  say(pair, FrameKind::start, dialog, payload);
  return dialog;
}

// CTX-27: a request that comes over another connection than the start does nothing, though the
// dialog has the same number there; the opener's own does.
TEST(CancelRequestTest, OnlyTheConnectionOfTheOpenerCancels) {
  RecordingHandler mine;
  RecordingHandler theirs;
  std::optional<DialogPair> other;
  with_pair(stage, [&](ServedPair& pair) {
    other.emplace();
    other->acceptor.serve(pair.dispatcher);
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other->network.run(); });
      const std::uint64_t dialog = start(pair, mine, request<&waits>(std::nullopt));
      ASSERT_EQ(start(*other, theirs, request<&answers>(std::nullopt)), dialog);
      wait_all_tasks_blocked();
      EXPECT_EQ(theirs.frames.size(), 1u);  // it has ended, and can only be cancelled too late
      say(*other, FrameKind::cancel, dialog);
      wait_all_tasks_blocked();
      EXPECT_EQ(other->acceptor.session.statistics().late_frames, 1u);
      EXPECT_EQ(pair.dispatcher.calls(), 1u);
      EXPECT_TRUE(mine.frames.empty());
      say(pair, FrameKind::cancel, dialog);
      wait_all_tasks_blocked();
      EXPECT_EQ(pair.dispatcher.calls(), 0u);
      ASSERT_EQ(mine.frames.size(), 2u);
      EXPECT_EQ(mine.frames[0].first, FrameKind::cancel_ack);
      EXPECT_EQ(mine.frames[1].first, FrameKind::error);
      pair.connector.session.close_dialog(dialog);
      other->connector.session.close_dialog(dialog);
      n.cancel();
    });
  });
}

// CTX-27: where a dialog of that number was never opened, whoever asks loses its own connection.
TEST(CancelRequestTest, ARequestForNothingHarmsOnlyWhoAsks) {
  RecordingHandler mine;
  std::optional<DialogPair> other;
  with_pair(stage, [&](ServedPair& pair) {
    other.emplace();
    other->acceptor.serve(pair.dispatcher);
    other->transcripts.watched = false;
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] { other->network.run(); });
      const std::uint64_t dialog = start(pair, mine, request<&waits>(std::nullopt));
      say(*other, FrameKind::cancel, dialog);
      wait_all_tasks_blocked();
      EXPECT_TRUE(other->acceptor.session.closed());
      EXPECT_EQ(pair.dispatcher.calls(), 1u);
      EXPECT_TRUE(mine.frames.empty());
      say(pair, FrameKind::cancel, dialog);
      wait_all_tasks_blocked();
      pair.connector.session.close_dialog(dialog);
      n.cancel();
    });
  });
}

// CTX-30: a request is served as it is read, and does not queue behind the calls that were read
// before it: those run later, and find it done.
TEST(CancelRequestTest, ARequestIsServedAheadOfQueuedCalls) {
  RecordingHandler context;
  RecordingHandler call;
  saw_it_cancelled.reset();
  with_pair(stage, [&](ServedPair& pair) {
    const std::uint64_t running =
        start(pair, context, request<&waits_in_context>(detail::default_window));
    wait_all_tasks_blocked();
    ASSERT_NE(waiting, nullptr);
    const std::uint64_t queued = start(pair, call, request<&looks>(std::nullopt));
    say(pair, FrameKind::cancel, running);  // leaves in the same message, behind the start
    wait_all_tasks_blocked();
    EXPECT_EQ(saw_it_cancelled, true);
    EXPECT_EQ(call.frames.size(), 1u);
    ASSERT_FALSE(context.frames.empty());
    EXPECT_EQ(context.frames.back().first, FrameKind::error);
    pair.connector.session.close_dialog(running);
    pair.connector.session.close_dialog(queued);
  });
}

}  // namespace
}  // namespace troupe
