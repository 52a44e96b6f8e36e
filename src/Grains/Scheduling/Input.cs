using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Scheduling.Memory;

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

    /// <summary>Several things of one sender, answered together once each has its answer.</summary>
    internal abstract record AskedMany<TReply>(int Count) : Asked<TReply[]>
    {
        private readonly TReply[] replies = new TReply[Count];
        private int left = Count;

        public void ReplyAt(int index, TReply value)
        {
            replies[index] = value;
            if (--left == 0)
                Reply(replies);
        }
    }

    /// <param name="Models">Of each request, null for a kind that needs none.</param>
    public sealed record Submit(SubmitRequest[] Requests, ModelRecord?[] Models)
        : AskedMany<SubmitReply>(Requests.Length);

    /// <summary>Answered with true once the job is known to be terminal or was never active here.</summary>
    public sealed record Cancel(JobId Job) : Asked<bool>;

    /// <summary>Answered with whether the job is now as it should be.</summary>
    public sealed record Steer(JobId Job, JobSteering How) : Asked<bool>;

    public sealed record Report(ShardReport[] Bodies) : AskedMany<ReportReply>(Bodies.Length);

    public sealed record Heartbeat(NodeHeartbeat Body) : Asked<HeartbeatReply>;

    /// <summary>A question about memory, answered between two steps of the loop.</summary>
    public sealed record Look<TReply>(Func<PoolMemory, TReply> Question) : Asked<TReply>, ILook
    {
        public void AnswerFrom(PoolMemory memory)
        {
            try
            {
                Reply(Question(memory));
            }
            // A question changes nothing, so one that cannot be answered is the asker's affair alone.
            catch (Exception exception)
            {
                Abandon(exception);
            }
        }
    }

    internal interface ILook
    {
        void AnswerFrom(PoolMemory memory);
    }

    public sealed record NodeDied(NodeId Node) : Input;

    /// <summary>The specs of jobs that are about to be handed over.</summary>
    public sealed record SpecsRead(IReadOnlyList<JobSpec> Specs) : Input;

    public sealed record HandedOver(IReadOnlyList<HandOver> Outcomes) : Input;

    /// <summary>The database has told its time, at an elapsed time of the leader.</summary>
    public sealed record ClockRead(DateTimeOffset Database, TimeSpan At) : Input;

    /// <summary>The registry knows a model now that it did not know before.</summary>
    public sealed record ModelFound(Shape Shape, ModelRecord Model) : Input;

    /// <summary>Time has passed: look at the deadlines.</summary>
    public sealed record Tick : Input;

    /// <summary>Commits have come back; they are taken in with their predecessors.</summary>
    public sealed record CommitReturned : Input
    {
        public static readonly CommitReturned Instance = new();
    }

    /// <summary>The turn cannot go on, for this reason.</summary>
    public sealed record TermEnded(Exception Why) : Input;
}
