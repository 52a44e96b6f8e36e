using System.Net.Sockets;
using System.Text;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>The unix socket between an agent and a worker.</summary>
public static class WorkerSocket
{
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.InvalidRequest"/>: not absolute, or longer than the system's socket address holds.
    /// </exception>
    public static UnixDomainSocketEndPoint EndPoint(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!Path.IsPathFullyQualified(path))
            throw new EngineException(EngineErrorClass.InvalidRequest, $"The socket path '{path}' is not absolute.");
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > Limits.SocketPathBytes)
        {
            throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"The socket path '{path}' has {bytes} bytes; a unix socket address holds {Limits.SocketPathBytes}. "
                    + "Choose a shorter data directory.",
                bytes,
                Limits.SocketPathBytes
            );
        }
        return new UnixDomainSocketEndPoint(path);
    }

    internal static Socket Create() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
}
