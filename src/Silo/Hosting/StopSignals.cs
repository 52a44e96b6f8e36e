using System.Runtime.InteropServices;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// Ctrl-C and SIGTERM while the process still starts: the start is cancelled and undone instead of cut off. Once released,
/// the host listens to the same signals itself.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly PosixSignalRegistration[] registrations;

    public StopSignals() =>
        registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
        ];

    public CancellationToken Token => stop.Token;

    public void Release() => Array.ForEach(registrations, registration => registration.Dispose());

    public void Dispose()
    {
        Release();
        stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}
