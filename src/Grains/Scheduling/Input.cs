using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>One thing the scheduler's loop learns; it takes them in one at a time, in order.</summary>
internal abstract record Input
{
    /// <summary>The leader's turn ends before this was answered.</summary>
    public virtual void Abandon(Exception why) { }

    /// <summary>An input whose sender waits for an answer.</summary>
    internal abstract record Asked<TReply> : Input
    {
        // Continuations must not run on the loop: a caller's code is none of its business.
        private readonly TaskCompletionSource<TReply> reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TReply> Answer => reply.Task;

        public void Reply(TReply value) => reply.TrySetResult(value);

        public override void Abandon(Exception why) => reply.TrySetException(why);
    }

    public sealed record Submit(JobSpec Spec, IdempotencyKey? Key, IReadOnlyList<BatchItem>? Items, ModelRecord? Model)
        : Asked<SubmitReply>;

    /// <summary>Answered with true once the job is known to be terminal or was never active here.</summary>
    public sealed record Cancel(JobId Job) : Asked<bool>;

    /// <summary>Answered with whether the ledger applied it.</summary>
    public sealed record Steer(JobId Job, JobSteering How) : Asked<bool>;

    public sealed record Report(ShardReport Body) : Asked<ReportReply>;

    public sealed record Heartbeat(NodeHeartbeat Body) : Asked<HeartbeatReply>;

    /// <summary>A question about memory, answered between two steps of the loop.</summary>
    public sealed record Look<TReply>(Func<PoolMemory, TimeSpan, TReply> Question) : Asked<TReply>, ILook
    {
        public void AnswerFrom(PoolMemory memory, TimeSpan now) => Reply(Question(memory, now));
    }

    internal interface ILook
    {
        void AnswerFrom(PoolMemory memory, TimeSpan now);
    }

    public sealed record NodeDied(NodeId Node) : Input;

    public sealed record HandedOver(HandOver Outcome) : Input;

    /// <summary>Time has passed: look at the deadlines.</summary>
    public sealed record Tick : Input;

    /// <summary>A commit has come back; it is taken in with its predecessors.</summary>
    public sealed record CommitReturned : Input;

    /// <summary>The turn cannot go on, for this reason.</summary>
    public sealed record TermEnded(Exception Why) : Input;
}
