//! Connections that can be cut from inside a handler, as a failing network cuts them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Cuts one connection: nothing more is written to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

/// A connection with a switch.
pub(super) struct Breakable {
    stream: TcpStream,
    switch: Switch,
}

impl Breakable {
    pub(super) fn listen(listener: TcpListener) -> BreakableListener {
        BreakableListener(listener)
    }
}

pub(super) struct BreakableListener(TcpListener);

impl Listener for BreakableListener {
    type Io = Breakable;
    type Addr = Switch;

    async fn accept(&mut self) -> (Breakable, Switch) {
        loop {
            if let Ok((stream, _)) = self.0.accept().await {
                let switch = Switch::default();
                return (
                    Breakable {
                        stream,
                        switch: switch.clone(),
                    },
                    switch,
                );
            }
            // Out of descriptors or an aborted handshake: the next one may do better.
            tokio::task::yield_now().await;
        }
    }

    fn local_addr(&self) -> io::Result<Switch> {
        self.0.local_addr().map(|_: SocketAddr| Switch::default())
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Switch {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.switch.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.switch.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
