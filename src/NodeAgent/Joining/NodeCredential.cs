using System.Security.Cryptography;
using System.Text;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// The secret by which the gateway knows this node: 256 random bits as 64 hex digits, in a file only its user reads. It
/// leaves the machine in the Authorization header only; the gateway keeps its hash.
/// </summary>
public sealed class NodeCredential
{
    private const int Bytes = 32;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private NodeCredential(string value) => Value = value;

    public string Value { get; }

    /// <summary>Reads the credential; creates it at the first start.</summary>
    /// <exception cref="AgentStartException">The file is malformed or open to other users.</exception>
    public static NodeCredential ReadOrCreate(string path)
    {
        if (!File.Exists(path))
            DataFolder.WritePrivate(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)));
        if ((File.GetUnixFileMode(path) & Others) != UnixFileMode.None)
            throw new AgentStartException($"Others may read '{path}'. Run: chmod 600 '{path}'");
        var text = File.ReadAllText(path).Trim();
        if (text.Length != 2 * Bytes || !text.All(char.IsAsciiHexDigitLower))
            throw new AgentStartException(
                $"'{path}' is not {2 * Bytes} lower-case hex digits. Remove it and enrol the node again."
            );
        return new NodeCredential(text);
    }

    /// <summary>
    /// The secret between this agent and one worker: the same after a restart, so that the worker can be adopted, and of no
    /// use against the gateway.
    /// </summary>
    public string ForWorker(string device) =>
        Convert.ToHexStringLower(
            HMACSHA256.HashData(Convert.FromHexString(Value), Encoding.UTF8.GetBytes($"worker:{device}"))
        );
}
