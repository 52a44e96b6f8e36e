namespace EgpuFleet.NodeAgent;

public static partial class Limits
{
    /// <summary>
    /// How long a fine-tuning may take to make its state durable when it has to go: its step, and some hundred megabytes at
    /// the pace of the store. With <see cref="ShutdownTimeout"/> less than the 30 s after which a supervisor kills.
    /// </summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(15);
}
