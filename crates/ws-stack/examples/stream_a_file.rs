//! A file as one message, however long, in bounded memory: a gigabyte, or as many MiB as the argument says.
//! `cargo run --release -p ws-stack --example stream_a_file [MIB]`

use std::path::Path;

use tokio::{
    fs::File,
    io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader, copy_buf},
};
use ws_stack::{BoxError, Connect, DataKind, Limits, Server, ServerConnection};

/// The most that both sides and all else in this process may hold, in MiB.
const MOST_MEMORY: u64 = 48;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mib = std::env::args().nth(1).map_or(Ok(1024), |argument| argument.parse())?;
    let path = std::env::temp_dir().join(format!("stream_a_file-{}", std::process::id()));
    let streamed = run(&path, mib).await;
    tokio::fs::remove_file(&path).await?;
    streamed
}

async fn run(path: &Path, mib: u64) -> Result<(), BoxError> {
    make_file(path, mib).await?;
    let expected = checksum(BufReader::with_capacity(1 << 18, File::open(path).await?)).await?;
    println!("the file has {} bytes, checksum {:016x}", expected.0, expected.1);

    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let path = path.to_owned();
    tokio::spawn(async move { server.serve(move |conn| send_file(conn, path.clone())).await });

    // Messages above 64 MiB are refused unless somebody asks for them.
    let mut limits = Limits::default();
    limits.max_message_len = Limits::UNLIMITED;
    let mut ws = Connect::new(&address)?.limits(limits).await?;
    let message = ws.next_message_reader().await.ok_or("the server has left")??;
    let received = checksum(message).await?; // it is read as it arrives, and could be copied to a file
    println!("received {} bytes, checksum {:016x}", received.0, received.1);
    println!("the same: {}", received == expected);

    match peak_memory() {
        None => println!("the system does not say how much memory that took"),
        Some(peak) if peak < MOST_MEMORY => println!("in less than {MOST_MEMORY} MiB of memory"),
        Some(peak) => return Err(format!("it took {peak} MiB of memory").into()),
    }
    Ok(())
}

async fn send_file(mut conn: ServerConnection, path: std::path::PathBuf) -> Result<(), BoxError> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).await?);
    let mut message = conn.socket.message_writer(DataKind::Binary)?;
    copy_buf(&mut file, &mut message).await?;
    message.finish().await?; // without this the client knows that the end is missing
    drop(message);
    while conn.socket.recv().await.transpose()?.is_some() {}
    Ok(())
}

/// The length, and FNV-1a in 64 bits.
async fn checksum(mut bytes: impl AsyncBufRead + Unpin) -> std::io::Result<(u64, u64)> {
    let (mut len, mut sum) = (0, 0xcbf2_9ce4_8422_2325_u64);
    loop {
        let chunk = bytes.fill_buf().await?;
        if chunk.is_empty() {
            return Ok((len, sum));
        }
        for byte in chunk {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let taken = chunk.len();
        len += taken as u64;
        bytes.consume(taken);
    }
}

/// A file in which no MiB is like another one.
async fn make_file(path: &Path, mib: u64) -> std::io::Result<()> {
    let mut file = File::create(path).await?;
    let mut block: Vec<u8> = (0..1 << 20).map(|number: u32| number.to_le_bytes()[0]).collect();
    for number in 0..mib {
        block[..8].copy_from_slice(&number.to_le_bytes());
        file.write_all(&block).await?;
    }
    file.flush().await
}

/// The most memory that this process has held, in MiB, where Linux says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}
