using System.Security.Cryptography;
using System.Text;

namespace EgpuFleet.Kernels.Protocol;

internal static class WorkerCredential
{
    /// <summary>Compares digests, in constant time, so that neither content nor length leaks by timing.</summary>
    public static bool Equal(string offered, string expected)
    {
        Span<byte> left = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> right = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(offered), left);
        SHA256.HashData(Encoding.UTF8.GetBytes(expected), right);
        return CryptographicOperations.FixedTimeEquals(left, right);
    }
}
