namespace EgpuFleet.Kernels.Noops;

/// <summary>One command of a frame's body as the worker reads it: a noop to run, or a lane to give up.</summary>
/// <param name="Payload">UTF-8; a slice of the frame.</param>
internal readonly record struct NoopCommand(
    bool Cancel,
    long Lane,
    int Index,
    int DurationMilliseconds,
    NoopFault Fault,
    ReadOnlyMemory<byte> Payload
);
