//! A display of its own for a test, without a screen, and a hand at its keyboard and mouse.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use x11rb::CURRENT_TIME;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, EventMask, ImageFormat, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
    MOTION_NOTIFY_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Anything that the display has to say against something.
pub type Refused = Box<dyn Error>;

const SHIFT: u32 = 0xffe1;
/// Keys that have no letter, as X calls them.
pub const RETURN: u32 = 0xff0d;
pub const ESCAPE: u32 = 0xff1b;
pub const HOME: u32 = 0xff50;
pub const LEFT: u32 = 0xff51;
pub const RIGHT: u32 = 0xff53;

/// Ways of the wheel, the buttons as which X knows them.
pub const UP: u8 = 4;
pub const DOWN: u8 = 5;

/// Time between two things that a hand does.
const BEAT: Duration = Duration::from_millis(8);

/// The server of a display, and a connection to it.
pub struct Display {
    server: Child,
    /// Its name, as programs are told it.
    pub name: String,
    connection: RustConnection,
    root: Window,
    /// The first key, the symbols of each, and all symbols.
    keys: (u8, usize, Vec<u32>),
}

impl Drop for Display {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}

impl Display {
    /// Starts a display; `None` where there is no server for one.
    pub fn start() -> Result<Option<Self>, Refused> {
        let started = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1500x1000x24"])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = match started {
            Ok(server) => server,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // It says its number when it is ready.
        let mut number = String::new();
        let said = server.stdout.take().ok_or("it has an output")?;
        BufReader::new(said).read_line(&mut number)?;
        let name = format!(":{}", number.trim());
        let (connection, screen) = RustConnection::connect(Some(&name))?;
        let setup = connection.setup();
        let root = setup.roots[screen].root;
        let first = setup.min_keycode;
        let count = setup.max_keycode - first + 1;
        let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
        let keys = (
            first,
            usize::from(mapping.keysyms_per_keycode),
            mapping.keysyms,
        );
        Ok(Some(Self {
            server,
            name,
            connection,
            root,
            keys,
        }))
    }

    /// Waits until a program shows a window, and lets it have the keyboard. `gone` tells that the program has ended.
    pub fn window(&self, mut gone: impl FnMut() -> bool) -> Result<Option<Window>, Refused> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            for window in self.connection.query_tree(self.root)?.reply()?.children {
                let seen = self.connection.get_window_attributes(window)?.reply()?;
                let size = self.connection.get_geometry(window)?.reply()?;
                if seen.map_state == MapState::VIEWABLE && size.width > 100 {
                    self.connection
                        .set_input_focus(InputFocus::PARENT, window, CURRENT_TIME)?
                        .check()?;
                    return Ok(Some(window));
                }
            }
            if gone() {
                return Ok(None);
            }
            sleep(Duration::from_millis(50));
        }
        Err("no window came in a minute".into())
    }

    /// The title of a window.
    pub fn title(&self, window: Window) -> Result<String, Refused> {
        let name = self.connection.intern_atom(false, b"_NET_WM_NAME")?;
        let name = name.reply()?.atom;
        let title = self
            .connection
            .get_property(false, window, name, AtomEnum::ANY, 0, 1024)?
            .reply()?;
        Ok(String::from_utf8_lossy(&title.value).into_owned())
    }

    /// Gives a window another size.
    pub fn resize(&self, window: Window, width: u32, height: u32) -> Result<(), Refused> {
        let size = ConfigureWindowAux::new()
            .x(0)
            .y(0)
            .width(width)
            .height(height);
        self.connection.configure_window(window, &size)?.check()?;
        Ok(())
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<(), Refused> {
        self.connection
            .xtest_fake_input(kind, detail, CURRENT_TIME, self.root, x, y, 0)?
            .check()?;
        sleep(BEAT);
        Ok(())
    }

    /// Presses a key and lets go of it.
    pub fn press(&self, symbol: u32) -> Result<(), Refused> {
        let (first, per_key, symbols) = &self.keys;
        let key_of = |symbol: u32| {
            let place = symbols.iter().position(|known| *known == symbol);
            let place = place.ok_or_else(|| format!("no key for {symbol:#x}"))?;
            let key = usize::from(*first) + place / per_key;
            Ok::<_, Refused>((u8::try_from(key)?, place % per_key == 1))
        };
        let (key, is_shifted) = key_of(symbol)?;
        let (shift, _) = key_of(SHIFT)?;
        if is_shifted {
            self.fake(KEY_PRESS_EVENT, shift, (0, 0))?;
        }
        self.fake(KEY_PRESS_EVENT, key, (0, 0))?;
        self.fake(KEY_RELEASE_EVENT, key, (0, 0))?;
        if is_shifted {
            self.fake(KEY_RELEASE_EVENT, shift, (0, 0))?;
        }
        Ok(())
    }

    /// Types letters.
    pub fn write(&self, text: &str) -> Result<(), Refused> {
        text.chars()
            .try_for_each(|letter| self.press(letter.into()))
    }

    /// Presses the left button at one place and lets go of it at another, where the window lies in the corner.
    pub fn drag(&self, from: (i16, i16), to: (i16, i16)) -> Result<(), Refused> {
        self.fake(MOTION_NOTIFY_EVENT, 0, from)?;
        self.fake(BUTTON_PRESS_EVENT, 1, from)?;
        if from != to {
            let middle = ((from.0 + to.0) / 2, (from.1 + to.1) / 2);
            self.fake(MOTION_NOTIFY_EVENT, 0, middle)?;
            self.fake(MOTION_NOTIFY_EVENT, 0, to)?;
        }
        self.fake(BUTTON_RELEASE_EVENT, 1, to)
    }

    /// Turns the wheel by so many notches, [`UP`] or [`DOWN`].
    pub fn wheel(&self, at: (i16, i16), notches: usize, way: u8) -> Result<(), Refused> {
        self.fake(MOTION_NOTIFY_EVENT, 0, at)?;
        for _ in 0..notches {
            self.fake(BUTTON_PRESS_EVENT, way, at)?;
            self.fake(BUTTON_RELEASE_EVENT, way, at)?;
        }
        Ok(())
    }

    /// The pixels of a part of a window, as it shows them.
    pub fn picture(
        &self,
        window: Window,
        (x, y): (i16, i16),
        (width, height): (u16, u16),
    ) -> Result<Vec<u8>, Refused> {
        let all_planes = u32::MAX;
        let picture = self
            .connection
            .get_image(
                ImageFormat::Z_PIXMAP,
                window,
                x,
                y,
                width,
                height,
                all_planes,
            )?
            .reply()?;
        Ok(picture.data)
    }

    /// Asks a window to close.
    pub fn close(&self, window: Window) -> Result<(), Refused> {
        let atom = |name: &[u8]| -> Result<u32, Refused> {
            Ok(self.connection.intern_atom(false, name)?.reply()?.atom)
        };
        let data = [atom(b"WM_DELETE_WINDOW")?, CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom(b"WM_PROTOCOLS")?, data);
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, message)?
            .check()?;
        Ok(())
    }
}
