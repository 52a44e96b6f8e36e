using System.Buffers;
using System.Text;
using CsCheck;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Noops;

namespace EgpuFleet.Kernels.Tests.Noops;

public sealed class NoopCodecTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 5, 20, 0, 123, 456, TimeSpan.Zero);

    private static readonly Gen<NoopWork> Works =
        from lane in Gen.Long
        from index in Gen.Int
        from text in Gen.String
        from milliseconds in Gen.Int[0, int.MaxValue]
        from fault in Gen.Enum<NoopFault>()
        select new NoopWork(lane, index, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)), milliseconds, fault);

    [Fact]
    public void What_is_written_is_read_back() =>
        Works
            .List[0, 20]
            .Sample(works =>
            {
                var body = new ArrayBufferWriter<byte>();
                foreach (var work in works)
                {
                    NoopCodec.Write(body, work);
                    NoopCodec.WriteCancel(body, work.Lane);
                }
                var commands = NoopCodec.ReadCommands(body.WrittenMemory);
                Assert.Equal(2 * works.Count, commands.Count);
                for (var i = 0; i < works.Count; i++)
                {
                    var (run, cancel) = (commands[2 * i], commands[(2 * i) + 1]);
                    var payload = Encoding.UTF8.GetString(run.Payload.Span);
                    Assert.Equal(works[i], new(run.Lane, run.Index, payload, run.DurationMilliseconds, run.Fault));
                    Assert.Equal((true, works[i].Lane), (cancel.Cancel, cancel.Lane));
                }
            });

    [Fact]
    public void Answers_are_read_back()
    {
        var noop = new NoopCommand(Cancel: false, long.MinValue, -7, 0, NoopFault.None, "abc"u8.ToArray());
        var body = new ArrayBufferWriter<byte>();
        NoopCodec.WriteDigest(body, noop, At, 12);
        NoopCodec.WriteError(body, noop, At, 13, EngineErrorClass.NoopFailed, "schief");
        var answers = NoopCodec.ReadAnswers(body.WrittenSpan);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", answers[0].Sha256);
        Assert.Equal((long.MinValue, -7, 12), (answers[0].Lane, answers[0].Index, answers[0].DurationMilliseconds));
        Assert.All(answers, answer => Assert.Equal(At, answer.StartedAt));
        Assert.Equal(
            (EngineErrorClass.NoopFailed, "schief"),
            (answers[1].Error!.ErrorClass, answers[1].Error!.Message)
        );
    }

    [Fact]
    public void Any_other_bytes_are_a_typed_violation_or_well_formed() =>
        Gen
            .Byte.Array[0, 200]
            .Sample(bytes =>
            {
                Try(() => NoopCodec.ReadCommands(bytes));
                Try(() => NoopCodec.ReadAnswers(bytes));
            });

    [Fact]
    public void A_body_cut_short_is_a_violation()
    {
        var body = new ArrayBufferWriter<byte>();
        NoopCodec.Write(body, new NoopWork(1, 2, "payload"));
        for (var length = 1; length < body.WrittenCount; length++)
        {
            var cut = body.WrittenMemory[..length];
            var exception = Assert.Throws<EngineException>(() => NoopCodec.ReadCommands(cut));
            Assert.Equal(EngineErrorClass.ProtocolViolation, exception.ErrorClass);
        }
    }

    private static void Try(Action read)
    {
        try
        {
            read();
        }
        catch (EngineException exception)
        {
            Assert.Equal(EngineErrorClass.ProtocolViolation, exception.ErrorClass);
        }
    }
}
