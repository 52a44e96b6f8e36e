using System.Buffers.Binary;
using CsCheck;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Protocol;

public sealed class FrameCodecTests
{
    private static readonly Gen<(byte[] Header, byte[] Body)> Frames = Gen.Select(
        Gen.Byte.Array[1, 500],
        Gen.Byte.Array[0, 2000]
    );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Frames_survive_the_stream_whatever_the_pieces_it_arrives_in() =>
        await Gen.Select(Frames.Array[1, 5], Gen.Int[1, 700])
            .SampleAsync(
                async (frames, pieceBytes) =>
                {
                    using var stream = new MemoryStream();
                    foreach (var (header, body) in frames)
                        await FrameCodec.WriteAsync(stream, new Frame(header, body), Token);
                    await using var pieces = new PieceStream(stream.ToArray(), pieceBytes);
                    foreach (var (header, body) in frames)
                    {
                        var frame = await FrameCodec.ReadAsync(pieces, cancellationToken: Token);
                        Assert.Equal(header, frame!.Value.Header.ToArray());
                        Assert.Equal(body, frame.Value.Body.ToArray());
                    }
                    Assert.Null(await FrameCodec.ReadAsync(pieces, cancellationToken: Token));
                }
            );

    [Fact]
    public async Task A_stream_cut_anywhere_inside_a_frame_is_an_end_of_stream() =>
        await Gen.Select(Frames, Gen.Double[0, 1])
            .SampleAsync(
                async (frame, place) =>
                {
                    using var whole = new MemoryStream();
                    await FrameCodec.WriteAsync(whole, new Frame(frame.Header, frame.Body), Token);
                    var length = 1 + (int)(place * (whole.Length - 2));
                    using var cut = new MemoryStream(whole.ToArray(), 0, length);
                    await Assert.ThrowsAsync<EndOfStreamException>(async () =>
                        await FrameCodec.ReadAsync(cut, cancellationToken: Token)
                    );
                }
            );

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData((uint)Limits.HeaderBytes + 1, 0u)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(10u, (uint)Limits.BodyBytes + 1)]
    [InlineData(10u, 0x80000000u)]
    public async Task Hostile_lengths_are_refused_before_anything_is_allocated(uint headerBytes, uint bodyBytes)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, headerBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(prefix.AsSpan(4), bodyBytes);
        using var stream = new MemoryStream(prefix);
        var exception = await Assert.ThrowsAsync<EngineException>(async () =>
            await FrameCodec.ReadAsync(stream, cancellationToken: Token)
        );
        Assert.Equal(EngineErrorClass.ProtocolViolation, exception.ErrorClass);
    }

    [Fact]
    public async Task What_is_too_large_is_not_even_begun()
    {
        using var stream = new MemoryStream();
        var exception = await Assert.ThrowsAsync<EngineException>(async () =>
            await FrameCodec.WriteAsync(stream, new Frame(new byte[1], new byte[Limits.BodyBytes + 1]), Token)
        );
        Assert.Equal(EngineErrorClass.InvalidRequest, exception.ErrorClass);
        Assert.Equal(0, stream.Length);
    }

    /// <summary>Gives at most so many bytes per read, as a socket may.</summary>
    private sealed class PieceStream(byte[] bytes, int pieceBytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, pieceBytes)], cancellationToken);
    }
}
